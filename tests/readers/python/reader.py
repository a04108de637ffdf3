"""Requests as the bridge sends them, one JSON object per line -> the attributes that PyPI `cloudevents` reads.

With a JSON Schema of CloudEvents as its argument it also judges each structured request by that.
"""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from jsonschema import Draft7Validator

STRUCTURED = "application/cloudevents+json"


def body_of(request):
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    return request["body"].encode()


def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else value


def attributes(request, body):
    event = from_http_event(HTTPMessage(request["headers"], body))
    return {name: plain(value) for name, value in event.get_attributes().items()}


def complaint(request, body, validator):
    content_type = next((v for k, v in request["headers"].items() if k.lower() == "content-type"), "")
    if validator is None or not content_type.startswith(STRUCTURED):
        return None
    error = next(validator.iter_errors(json.loads(body)), None)
    return error and f"against the schema: {error.json_path}: {error.message}"


def read(request, validator):
    body = body_of(request)
    try:
        reading = {"attributes": attributes(request, body)}
    except Exception as error:  # whatever it throws is its verdict on the request
        return {"error": f"{type(error).__name__}: {error}"}
    if found := complaint(request, body, validator):
        reading["error"] = found
    return reading


def main():
    validator = None
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as schema:
            validator = Draft7Validator(json.load(schema), format_checker=Draft7Validator.FORMAT_CHECKER)
    for line in sys.stdin.buffer:
        print(json.dumps(read(json.loads(line), validator)))


main()
