// k6 over a websocket by its module k6/ws: one call in flight per VU. JUDGED=1: every response is parsed and
// checked by hand against the contract's schema of a device, and its time goes into a Trend.
import ws from "k6/ws";
import { check } from "k6";
import exec from "k6/execution";
import { Trend } from "k6/metrics";
import { call, isDevice } from "./device.js";

const judged = __ENV.JUDGED === "1";
const took = judged ? new Trend("call_took", true) : null;
export const options = { vus: Number(__ENV.VUS), duration: `${__ENV.SECONDS || 3600}s` };

export default function () {
  ws.connect(__ENV.URL, null, (socket) => {
    let number = __VU * 1000;
    let sent = 0;
    const next = () => {
      sent = Date.now();
      socket.send(call(number++));
    };
    socket.on("open", next);
    socket.on("message", (text) => {
      if (judged) {
        if (!check(JSON.parse(text), { "a device": isDevice })) exec.test.abort(`not a device: ${text}`);
        took.add(Date.now() - sent);
      }
      next();
    });
  });
}
