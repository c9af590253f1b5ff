#!/usr/bin/env python3
"""A worker for Switchyard in Python's standard library: over its standard streams, or over HTTP with --http PORT."""

import argparse
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROTOCOL_VERSION = 1
MAX_BYTES = 16 * 1024 * 1024
REMEMBER_SECONDS = 600
REMEMBER_AT_MOST = 1000
MISSING_HEARTBEATS = 20


class RpcError(Exception):
    """An error that is told over the protocol."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


def failed(kind, message, **more):
    """A failure that says of which kind it is."""
    return RpcError(-32000, message, {"kind": kind, **more})


class Stopped(Exception):
    """The work is over, because it was cancelled or took too long."""


# ---- The agents of this worker; put your own here. An agent is a function of its input and its context. ----


class Context:
    """What an agent has to do with beside its input."""

    def __init__(self, run):
        self._run = run

    def report(self, **progress):
        """A sign of life: progress (0 to 1), message, usage, remainingMillis."""
        self._run.report(progress)

    def check(self):
        """Ends the work where it was cancelled; call it between two pieces of the work."""
        if self._run.stop.is_set():
            raise Stopped()

    def sleep(self, seconds):
        """Waits, unless the work is cancelled meanwhile."""
        if self._run.stop.wait(seconds):
            raise Stopped()


def field(value, name, kind):
    found = value.get(name) if isinstance(value, dict) else value
    if not isinstance(found, kind) or isinstance(found, bool):
        raise failed("InvalidInput", f"the input has no {name}")
    return found


def count_words(value, context):
    words = field(value, "text", str).split()
    for done in range(0, len(words), 1000):
        context.check()
        context.report(
            progress=done / len(words),
            message=f"{done} of {len(words)} words",
            usage={"inputTokens": done},
        )
    return {"words": len(words)}, {"inputTokens": len(words), "outputTokens": 1}


begun = 0


def wait(value, context):
    global begun
    millis = field(value, "millis", (int, float))
    begun += 1
    which = begun
    for tenth in range(10):
        context.report(progress=tenth / 10, message=f"waiting, {tenth} of 10")
        context.sleep(millis / 10_000)
    return {"waited": millis, "begun": which}, None


def refuse(value, context):
    more = {"retryAfterMillis": value["retryAfterMillis"]} if "retryAfterMillis" in value else {}
    raise failed(str(value.get("kind")), str(value.get("message")), **more)


AGENTS = {
    "count-words": (count_words, "Counts the words of a text.", ["count-words"]),
    "wait": (wait, "Waits for `millis`, and says how often this worker has begun to wait.", ["wait"]),
    "refuse": (refuse, "Fails as it is told, to show how failures are told.", ["refuse"]),
}


# ---- The work by its key: what is under way, and for a while what has ended. The same key is never begun twice. ----


class Run:
    def __init__(self, runs, params):
        self.runs = runs
        self.key = params["idempotencyKey"]
        self.agent = params["agent"]
        self.input = params["input"]
        self.stop = threading.Event()
        self.done = threading.Event()
        self.cancelled = False
        self.late = False
        self.outcome = None
        self.ended_at = None
        self.latest = None
        self.listeners = []
        self.detach = None
        self.lock = threading.Lock()
        self.timer = None
        if params.get("deadlineMillis") is not None:
            self.timer = threading.Timer(params["deadlineMillis"] / 1000, self.too_late)
            self.timer.daemon = True
            self.timer.start()
        threading.Thread(target=self.work, daemon=True).start()

    def too_late(self):
        self.late = True
        self.stop.set()

    def cancel(self):
        self.cancelled = True
        self.stop.set()

    def report(self, progress):
        with self.lock:
            self.latest = {"idempotencyKey": self.key, **progress}
            listeners = list(self.listeners)
        for listener in listeners:
            listener(self.latest)

    def work(self):
        try:
            output, usage = AGENTS[self.agent][0](self.input, Context(self))
            result = {"output": output}
            if usage is not None:
                result["usage"] = usage
            outcome = {"result": result}
        except RpcError as error:
            outcome = {"error": error.error}
        except Stopped:
            if self.late:
                outcome = {"error": failed("Timeout", "it took longer than it may").error}
            else:
                outcome = {"error": {"code": -32002, "message": "the work was cancelled"}}
        except Exception as error:
            outcome = {"error": failed("Failed", f"{type(error).__name__}: {error}").error}
        if self.timer is not None:
            self.timer.cancel()
        self.runs.settle(self, outcome)

    def join(self, listener):
        with self.lock:
            if self.detach is not None:
                self.detach.cancel()
                self.detach = None
            self.listeners.append(listener)
            latest = self.latest
        if latest is not None:
            listener(latest)

    def leave(self, listener, detach_millis):
        with self.lock:
            self.listeners.remove(listener)
            if self.listeners or self.done.is_set():
                return
            self.detach = threading.Timer(detach_millis / 1000, self.cancel)
            self.detach.daemon = True
            self.detach.start()


class Runs:
    def __init__(self):
        self.lock = threading.Lock()
        self.by_key = {}

    def run(self, params):
        if params["agent"] not in AGENTS:
            raise failed("NotFound", f'there is no agent "{params["agent"]}"')
        while True:
            with self.lock:
                known = self.by_key.get(params["idempotencyKey"])
                if known is None:
                    known = Run(self, params)
                    self.by_key[known.key] = known
                    return known
                if not known.stop.is_set():
                    if known.agent != params["agent"] or known.input != params["input"]:
                        raise RpcError(-32602, "this key names other work")
                    return known
            # Cancelled work is forgotten once it has stopped, and then the key is free again.
            known.done.wait()

    def attach(self, key):
        with self.lock:
            known = self.by_key.get(key)
        if known is None:
            raise RpcError(-32001, "nothing is known of this key; the worker may have been restarted")
        return known

    def cancel(self, key):
        with self.lock:
            known = self.by_key.get(key)
        if known is not None:
            known.cancel()
            known.done.wait()
        return {"known": known is not None}

    def settle(self, run, outcome):
        with self.lock:
            run.outcome = outcome
            run.ended_at = time.monotonic()
            if run.stop.is_set():
                self.by_key.pop(run.key, None)
            ended = [each for each in self.by_key.values() if each.ended_at is not None]
            ended.sort(key=lambda each: each.ended_at)
            for old in ended:
                if run.ended_at - old.ended_at > REMEMBER_SECONDS or len(ended) > REMEMBER_AT_MOST:
                    ended = ended[1:]
                    self.by_key.pop(old.key, None)
        run.done.set()


RUNS = Runs()


# ---- The methods of the protocol, whatever they come over. ----


def initialize(params):
    if params["protocolVersion"] != PROTOCOL_VERSION:
        raise RpcError(
            -32003,
            f"this worker speaks version {PROTOCOL_VERSION} of the protocol, not {params['protocolVersion']}",
            {"supported": [PROTOCOL_VERSION]},
        )
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "worker": {"name": "remote-worker-python", "version": "1.0.0"},
        "agents": [
            {
                "name": name,
                "description": description,
                "capabilities": [{"skill": skill} for skill in skills],
            }
            for name, (_, description, skills) in AGENTS.items()
        ],
    }


def answer(message, notify, gone=None):
    """The outcome of a request, as a dictionary with a result or an error; waits for what is asked for."""
    params = message.get("params") or {}
    method = message.get("method")
    try:
        if method == "initialize":
            return {"result": initialize(params)}
        if method in ("ping", "heartbeat"):
            return {"result": {}}
        if method == "cancel":
            return {"result": RUNS.cancel(params["idempotencyKey"])}
        if method in ("run", "attach"):
            run = RUNS.run(params) if method == "run" else RUNS.attach(params["idempotencyKey"])

            def listener(progress):
                notify("progress", progress)

            run.join(listener)
            try:
                while not run.done.wait(0.05 if gone is not None else None):
                    if gone.is_set():
                        break
            finally:
                run.leave(listener, params.get("detachMillis", 0))
            return run.outcome or {}
        return {"error": {"code": -32601, "message": f"there is no method {method}"}}
    except RpcError as error:
        return {"error": error.error}
    except (KeyError, TypeError, AttributeError) as error:
        return {"error": {"code": -32602, "message": f"the parameters are not what the protocol says: {error!r}"}}


def parse(text):
    """The message in a line, or the error that is answered instead."""
    try:
        message = json.loads(text)
    except ValueError:
        return None, {"code": -32700, "message": "this is not JSON"}
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or "method" not in message:
        return None, {"code": -32600, "message": "this is no request"}
    return message, None


def line_of(**message):
    return (json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode()


# ---- Over the standard streams: one message per line; the worker ends when its input does. ----


def serve_stdio():
    lock = threading.Lock()
    heard = time.monotonic()

    def send(**message):
        with lock:
            sys.stdout.buffer.write(line_of(**message))
            sys.stdout.buffer.flush()

    def notify(method, params):
        send(method=method, params=params)

    def beat(seconds):
        while True:
            time.sleep(seconds)
            if time.monotonic() - heard > seconds * MISSING_HEARTBEATS:
                os._exit(1)
            notify("heartbeat", {})

    def serve(message):
        outcome = answer(message, notify)
        if "id" in message:
            send(id=message["id"], **outcome)

    for line in sys.stdin.buffer:
        heard = time.monotonic()
        message, error = parse(line)
        if message is None:
            send(id=None, error=error)
        elif message["method"] == "initialize":
            serve(message)
            seconds = (message.get("params") or {}).get("heartbeatMillis", 5000) / 1000
            threading.Thread(target=beat, args=(seconds,), daemon=True).start()
        else:
            threading.Thread(target=serve, args=(message,), daemon=True).start()
    os._exit(0)


# ---- Over HTTP: a request is a message, and the answer a message per line, of which the last one is the response. ----


def handler_of(token):
    expected = f"Bearer {token}".encode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def refuse(self, status):
            self.close_connection = True
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_POST(self):
            # A page in a browser must not speak to this worker.
            if self.headers.get("origin") is not None:
                return self.refuse(403)
            given = self.headers.get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, expected):
                return self.refuse(401)
            if self.path != "/":
                return self.refuse(404)
            if not self.headers.get("content-type", "").startswith("application/json"):
                return self.refuse(415)
            length = self.headers.get("content-length", "")
            if not length.isdigit():
                return self.refuse(411)
            if int(length) > MAX_BYTES:
                return self.refuse(413)
            message, error = parse(self.rfile.read(int(length)))
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.end_headers()
            self.stream(message, error)

        def stream(self, message, error):
            lock = threading.Lock()
            gone = threading.Event()

            def send(**each):
                try:
                    with lock:
                        self.wfile.write(line_of(**each))
                except OSError:
                    gone.set()

            def beat(seconds, over):
                while not gone.is_set() and not over.wait(seconds):
                    send(method="heartbeat", params={})

            if message is None:
                return send(id=None, error=error)
            over = threading.Event()
            if message["method"] in ("run", "attach"):
                send(method="heartbeat", params={})
                seconds = max(0.01, (message.get("params") or {}).get("heartbeatMillis", 5000) / 1000)
                threading.Thread(target=beat, args=(seconds, over), daemon=True).start()
            outcome = answer(message, lambda method, params: send(method=method, params=params), gone)
            over.set()
            send(id=message.get("id"), **outcome)

    return Handler


def serve_http(host, port, token):
    server = ThreadingHTTPServer((host, port), handler_of(token))
    server.daemon_threads = True
    address, bound = server.server_address[:2]
    print(f"listening on http://{address}:{bound}/", flush=True)
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", type=int, metavar="PORT", help="serve HTTP on this port (0 takes a free one)")
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    if options.http is None:
        return serve_stdio()
    token = os.environ.get("WORKER_TOKEN", "")
    if token == "":
        sys.exit("Set WORKER_TOKEN to the token that hosts have to send.")
    return serve_http(options.host, options.http, token)


if __name__ == "__main__":
    main()
