// Requests as the bridge sends them, one JSON object per line -> the attributes that npm `cloudevents` reads.
"use strict";

const { createInterface } = require("node:readline");
const { HTTP } = require("cloudevents");

function body(request) {
  return request.body_base64 === undefined ? request.body : Buffer.from(request.body_base64, "base64");
}

// As Node's own server hands them over.
function headers(request) {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function read(request) {
  try {
    const event = HTTP.toEvent({ headers: headers(request), body: body(request) });
    const { data, data_base64, ...attributes } = event.toJSON();
    return { attributes };
  } catch (error) {
    return { error: String(error) };
  }
}

createInterface({ input: process.stdin, crlfDelay: 0 }).on("line", (line) => {
  process.stdout.write(JSON.stringify(read(JSON.parse(line))) + "\n");
});
