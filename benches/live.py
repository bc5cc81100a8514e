#!/usr/bin/env python3
"""The live path, measured: a daemon on real multicast over loopback, at several rates, beside the floor of a bare
receive loop in the same run; or a soak.

  benches/live.py rates [--rates 2000,20000] [--seconds 20] [--core 1] [--sender-core 0]
  benches/live.py soak --rate 20000 --minutes 30

Needs `cargo build --release` and, for the floor, `cargo bench --bench live --no-run`. Standard library only.
Prints one JSON line per step, and a table. What the figures mean stands in benches/README.md.
"""
import argparse, glob, json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARALLAX = os.environ.get("PARALLAX", os.path.join(HERE, "target/release/parallax"))
PORT = 43100


def ask(path, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall((json.dumps(request) + "\n").encode())
        data = b""
        while not data.endswith(b"\n"):
            more = s.recv(1 << 16)
            if not more:
                break
            data += more
    return json.loads(data)


def configuration(folder, args, record):
    def lines(groups):
        return ", ".join('{ name = "%s", group = "%s:%d", interface = "127.0.0.1" }' % g for g in groups)
    core_line = "" if args.core is None else "core = %d\n" % args.core
    comparator = "" if args.comparator_core is None else "comparator_core = %d\n" % args.comparator_core
    comparator += "" if args.realtime is None else "realtime = %d\n" % args.realtime
    recorder = '[recorder]\ndirectory = "%s/recordings"\nkeep_size = "4GiB"\n' % folder if record else ""
    if args.messages:
        recorder += '[store]\npath = "%s/store.db"\nparquet_messages = "%s/kept"\nparquet_rotate = "5s"\n' % (folder, folder)
    text = f'''[run]
name = "bench"
directory = "{folder}/run"
mode = "{args.mode}"
{comparator}[shared_memory]
directory = "{folder}/shm"
instruments = 16384
[alerts]
log = "{folder}/alerts.ndjson"
[metrics]
listen = "off"
{recorder}[[source]]
name = "direct"
feed = "nasdaq-itch-5.0"
venue = "XNAS"
{core_line}[[source.channel]]
name = "tv1"
lines = [{lines([("A", "233.54.12.111", PORT), ("B", "233.49.196.111", PORT + 1)])}]
[[source]]
name = "sip"
feed = "utp-uqdf"
{core_line}[[source.channel]]
name = "q1"
lines = [{lines([("A", "224.0.17.48", PORT + 2)])}]
'''
    path = os.path.join(folder, "live.toml")
    with open(path, "w") as f:
        f.write(text)
    return path


class Daemon:
    def __init__(self, folder, args, record):
        config = configuration(folder, args, record)
        self.errors = open(os.path.join(folder, "stderr"), "w+")
        self.child = subprocess.Popen([PARALLAX, "run", "--config", config], stderr=self.errors, stdout=subprocess.DEVNULL)
        self.socket = os.path.join(folder, "run/bench.sock")
        for _ in range(600):
            if "parallax: running" in open(os.path.join(folder, "stderr")).read():
                return
            if self.child.poll() is not None:
                sys.exit(open(os.path.join(folder, "stderr")).read())
            time.sleep(0.05)
        sys.exit("the daemon did not start")

    def status(self):
        return ask(self.socket, {"cmd": "status"})["status"]

    def memory_kib(self):
        for line in open(f"/proc/{self.child.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def thread_seconds(self):
        seconds = {}
        for task in glob.glob(f"/proc/{self.child.pid}/task/*"):
            try:
                name = open(task + "/comm").read().strip()
                fields = open(task + "/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            seconds[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return seconds

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=20)


def simulate(args, rate, seconds, more=()):
    command = [PARALLAX, "simulate", "--multicast", "--summary", "json", "--port", str(PORT), "--rate", str(rate),
               "--duration", f"{seconds}s", "--instruments", str(args.instruments), "--spin", args.sender_spin, *more]
    if args.sender_core is not None and shutil.which("taskset"):
        command = ["taskset", "-c", str(args.sender_core), *command]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return json.loads([l for l in out.splitlines() if l.startswith("{")][-1])


def faults(args):
    return [] if args.scenario is None else ["--scenario", args.scenario, "--repeat", args.repeat]


def floor(args, rate):
    found = sorted(glob.glob(os.path.join(HERE, "target/release/deps/live-*")), key=os.path.getmtime)
    found = [f for f in found if os.access(f, os.X_OK) and not f.endswith(".d")]
    if not found:
        return None
    command = [found[-1], f"233.54.12.111:{PORT}", str(args.seconds + 4)] + ([] if args.core is None else [str(args.core)])
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    simulate(args, rate, args.seconds, faults(args))
    return json.loads(child.communicate()[0])


def account(status, sent):
    lines = [l for s in status["sources"] for c in s["channels"] for l in c["lines"]]
    received = sum(l["packets"] for l in lines)
    drops = sum(l["kernel_drops"] for l in lines)
    return {"sent": sent, "received": received, "kernel_drops": drops, "unaccounted": sent - received - drops}


def settle(daemon, sent):
    for _ in range(100):
        status = daemon.status()
        if account(status, sent)["unaccounted"] == 0:
            break
        time.sleep(0.1)
    return status


def stage(status, source, first, last):
    for s in status["stages"]:
        if (s["source"], s["from"], s["to"]) == (source, first, last):
            return s
    return {}


def rates(args):
    rows = []
    for rate in [int(r) for r in args.rates.split(",")]:
        bare = floor(args, rate)
        with tempfile.TemporaryDirectory(prefix="parallax-bench-") as folder:
            daemon = Daemon(folder, args, args.record or args.messages)
            before = daemon.thread_seconds()
            began = time.monotonic()
            sent = simulate(args, rate, args.seconds, faults(args))
            status = settle(daemon, sent["packets"])
            after, elapsed = daemon.thread_seconds(), time.monotonic() - began
            busy = {n: round((after[n] - before.get(n, 0)) / elapsed, 3) for n in after}
            row = {"rate": rate, "packets_per_second": sent["packets_per_second"], "behind": sent["behind"],
                   "floor": bare, "account": account(status, sent["packets"]), "busy": busy,
                   "stages": [s for s in status["stages"] if s["to"] in ("taken", "published", "compared", "alerted")],
                   "ring_peak": status["receivers"][0]["ring_peak"], "troubles": status["troubles"],
                   "rss_kib": daemon.memory_kib(), "not_stored": (status["store"] or {}).get("not_stored")}
            daemon.stop()
        print(json.dumps(row), flush=True)
        rows.append(row)
    print("rate      packets/s  lost  floor p50/p90 us   to taken p50/p90 us  to published p50/p90 us  to compared p50 us  to alerted p50/p90 us (count)")
    for row in rows:
        taken = next((s for s in row["stages"] if s["source"] == "direct" and s["to"] == "taken"), {})
        published = next((s for s in row["stages"] if s["source"] == "direct" and s["from"] == "ts_recv" and s["to"] == "published"), {})
        alerted = next((s for s in row["stages"] if s["source"] == "alerts" and s["from"] == "ts_recv"), {})
        compared = next((s for s in row["stages"] if s["source"] == "direct" and s["to"] == "compared"), {})
        us = lambda d, k: "-" if not d else "%.1f" % (d[k] / 1000)
        f = row["floor"] or {}
        print("%-9d %9d %5d  %8s /%8s  %8s /%8s  %10s /%8s  %10s  %10s /%8s (%s)" % (
            row["rate"], row["packets_per_second"], row["account"]["kernel_drops"], us(f, "p50_ns"), us(f, "p90_ns"),
            us(taken, "p50_ns"), us(taken, "p90_ns"), us(published, "p50_ns"), us(published, "p90_ns"), us(compared, "p50_ns"),
            us(alerted, "p50_ns"), us(alerted, "p90_ns"), alerted.get("count", 0)))


class Watcher(threading.Thread):
    """Reads the shared books all the time, as another program would: nothing torn, nothing that goes backwards."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        sys.path.insert(0, os.path.join(HERE, "tools/shm"))
        self.folder, self.ended = folder, False
        self.figures = {"reads": 0, "torn": 0, "backward": 0, "impossible": 0, "errors": []}

    def run(self):
        import parallax_book
        books, latest = {}, {}
        while not self.ended:
            for path in glob.glob(os.path.join(self.folder, "shm/*.book")):
                try:
                    if path not in books:
                        books[path] = parallax_book.Book(path)
                    for slot in range(books[path].count()):
                        self.look(parallax_book, books[path], slot, latest)
                except Exception as error:  # whatever it is, it is a finding
                    if len(self.figures["errors"]) < 5:
                        self.figures["errors"].append(repr(error))
            time.sleep(0.02)

    def look(self, parallax_book, book, slot, latest):
        figures, key = self.figures, (book.path, slot)
        try:
            view = book.read(slot)
        except parallax_book.Torn:
            figures["torn"] += 1
            return
        if view is None:
            return
        figures["reads"] += 1
        updates, ts_recv_ns, ts_published_ns = view[0], view[5], view[6]
        was = latest.get(key, (0, 0, 0))
        if updates < was[0] or ts_recv_ns < was[1] or ts_published_ns < was[2]:
            figures["backward"] += 1
        latest[key] = (updates, ts_recv_ns, ts_published_ns)
        bids, asks = view[-2], view[-1]
        steps = lambda levels, sign: all(sign * (a[0] - b[0]) > 0 for a, b in zip(levels, levels[1:]))
        if not (steps(bids, 1) and steps(asks, -1)):
            figures["impossible"] += 1


def soak(args):
    with tempfile.TemporaryDirectory(prefix="parallax-soak-") as folder:
        daemon = Daemon(folder, args, True)
        before, memory, started = daemon.thread_seconds(), [], time.time()
        result = {}
        scenario = faults(args)
        watcher = Watcher(folder)
        watcher.start()
        sender = threading.Thread(target=lambda: result.update(simulate(args, args.rate, args.minutes * 60, scenario)))
        sender.start()
        while sender.is_alive():
            sender.join(30)
            status = daemon.status()
            lines = [l for s in status["sources"] for c in s["channels"] for l in c["lines"]]
            memory.append(daemon.memory_kib())
            print(json.dumps({"seconds": round(time.time() - started), "rss_kib": memory[-1],
                              "received": sum(l["packets"] for l in lines), "drops": sum(l["kernel_drops"] for l in lines),
                              "ring_peak": status["receivers"][0]["ring_peak"], "not_kept": status["recorder"]["not_kept"],
                              "open": status["comparator"]["open"], "recorded": status["recorder"]["bytes"]}), flush=True)
        elapsed = time.time() - started
        watcher.ended = True
        after = daemon.thread_seconds()
        status = settle(daemon, result["packets"])
        busy = {n: round((after[n] - before.get(n, 0)) / elapsed, 3) for n in after}
        third = max(1, len(memory) // 3)
        print(json.dumps({"minutes": args.minutes, "rate": args.rate, "packets_per_second": result["packets_per_second"],
                          "account": account(status, result["packets"]), "busy": busy,
                          "shared_memory_reader": watcher.figures,
                          "rss_kib_first_third": round(statistics.mean(memory[third:2 * third] or memory)),
                          "rss_kib_last_third": round(statistics.mean(memory[-third:])),
                          "recorder": status["recorder"], "alerts": status["alerts"], "troubles": status["troubles"],
                          "stages": status["stages"], "exit": daemon.stop()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rates", "soak"])
    parser.add_argument("--rates", default="2000,20000", help="messages of the venue a second")
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--instruments", type=int, default=500)
    parser.add_argument("--mode", default="spin", choices=["spin", "block"])
    parser.add_argument("--core", type=int)
    parser.add_argument("--comparator-core", type=int)
    parser.add_argument("--sender-core", type=int)
    parser.add_argument("--realtime", type=int, help="SCHED_FIFO priority of the pinned threads")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--messages", action="store_true", help="record, and write messages to Parquet")
    parser.add_argument("--scenario", help="faults, so that there are alerts to time")
    parser.add_argument("--repeat", default="60s", help="the scenario's faults come again after so long")
    parser.add_argument("--sender-spin", default="200us", help="the sender keeps its core busy for so long before a deadline")
    args = parser.parse_args()
    {"rates": rates, "soak": soak}[args.what](args)


if __name__ == "__main__":
    main()
