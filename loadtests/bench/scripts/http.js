// k6 over HTTP. JUDGED=1: every response is parsed and checked by hand against the contract's schema of a task, and
// its time goes into a Trend. RATE: arrivals a second (its open model); without it each VU sends requests without a pause.
import http from "k6/http";
import { check } from "k6";
import exec from "k6/execution";
import { Trend } from "k6/metrics";

const judged = __ENV.JUDGED === "1";
const vus = Number(__ENV.VUS);
const rate = Number(__ENV.RATE || 0);
const duration = `${__ENV.SECONDS || 3600}s`;
const took = judged ? new Trend("task_took", true) : null;
const params = { headers: JSON.parse(__ENV.HEADERS), tags: { name: "task" } };

export const options = {
  discardResponseBodies: !judged,
  scenarios: {
    tasks: rate
      ? { executor: "constant-arrival-rate", rate, timeUnit: "1s", duration, preAllocatedVUs: vus, maxVUs: vus }
      : { executor: "constant-vus", vus, duration },
  },
  summaryTrendStats: ["count", "min", "p(50)", "p(95)", "p(99)", "p(99.9)", "max"],
};

const known = (value) => Number.isInteger(value) && value >= 1;
const textOrNull = (value) => value === null || value === undefined || typeof value === "string";

function isTask(body) {
  const task = body.task;
  return (
    typeof body.request_id === "string" &&
    known(task.id) &&
    known(task.organization_id) &&
    known(task.workspace_id) &&
    known(task.list_id) &&
    known(task.account_id) &&
    known(task.owner_id) &&
    task.subscriber_ids.every(known) &&
    typeof task.name === "string" &&
    textOrNull(task.due_on) &&
    textOrNull(task.starts_on) &&
    task.tags.every((tag) => typeof tag === "string") &&
    typeof task.completed === "boolean" &&
    textOrNull(task.completed_at) &&
    typeof task.cleared === "boolean" &&
    textOrNull(task.note_content) &&
    textOrNull(task.created_at) &&
    textOrNull(task.updated_at)
  );
}

export default function () {
  const number = __VU * 1000000 + (__ITER % 1000000);
  const answer = http.get(`${__ENV.URL}/v2/tasks/${number}?organization_id=52`, params);
  if (judged) {
    const good = check(answer, {
      "status is 200": (got) => got.status === 200,
      "a task": (got) => isTask(got.json()),
    });
    if (!good) exec.test.abort(`not a task: ${answer.body}`);
    took.add(answer.timings.duration);
  }
}

export function handleSummary(data) {
  return __ENV.OUT ? { [__ENV.OUT]: JSON.stringify(data.metrics) } : {};
}
