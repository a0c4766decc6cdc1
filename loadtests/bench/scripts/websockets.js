// k6 over a websocket by its module k6/experimental/websockets: as websocket.js otherwise.
import { WebSocket } from "k6/experimental/websockets";
import { check } from "k6";
import exec from "k6/execution";
import { Trend } from "k6/metrics";
import { call, isDevice } from "./device.js";

const judged = __ENV.JUDGED === "1";
const took = judged ? new Trend("call_took", true) : null;
export const options = { vus: Number(__ENV.VUS), duration: `${__ENV.SECONDS || 3600}s` };

export default function () {
  const socket = new WebSocket(__ENV.URL);
  let number = __VU * 1000;
  let sent = 0;
  const next = () => {
    sent = Date.now();
    socket.send(call(number++));
  };
  socket.onopen = next;
  socket.onmessage = (event) => {
    if (judged) {
      if (!check(JSON.parse(event.data), { "a device": isDevice })) exec.test.abort(`not a device: ${event.data}`);
      took.add(Date.now() - sent);
    }
    next();
  };
}
