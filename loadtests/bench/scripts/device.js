// The call of bitvis that both websocket scripts send, and what its contract says of its response.
const parts = __ENV.CALL.split("{number}");
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/;

export function call(number) {
  return parts[0] + (number % 65536).toString(16).padStart(4, "0") + parts[1];
}

export function isDevice(body) {
  return (
    Number.isInteger(body.status) &&
    body.success === true &&
    body.dataType === "JSON" &&
    uuid.test(body.data.id) &&
    time.test(body.data.created) &&
    time.test(body.data.updated) &&
    typeof body.data.name === "string" &&
    body.data.name.length > 0
  );
}
