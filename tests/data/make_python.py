"""Makes python.hlog and python.expected.csv with HdrHistogram_py 0.10.x (PyPI: hdrhistogram).

Synthetic values: a linear congruential generator, no clock, no random module, so the
files come out the same every time. Run: python make_python.py
"""
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter


def values(seed, count):
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        spread = (state >> 33) % 1000
        yield 20_000 + spread * spread * (1 if spread < 990 else 400)


total = HdrHistogram(1, 3_600_000_000_000, 3)
with open("python.hlog", "w", encoding="utf-8") as file:
    log = HistogramLogWriter(file)
    log.output_comment("[Logged with HdrHistogram_py, synthetic values]")
    log.output_log_format_version()
    log.output_base_time(1_700_000_000_000)
    log.output_comment("a comment, with commas, 1,2,3")
    log.output_legend()
    for second in range(5):
        interval = HdrHistogram(1, 3_600_000_000_000, 3)
        for value in values(second, 2_000):
            interval.record_value(value)
        total.add(interval)
        log.output_interval_histogram(interval, second + 0.5, second + 1.5)
with open("python.expected.csv", "w", encoding="utf-8") as file:
    columns = [10, 50, 90, 95, 99, 99.9, 99.99]
    file.write(str(total.get_total_count()) + "\n")
    for column in columns:
        file.write(f"{column},{total.get_value_at_percentile(column)}\n")
    file.write(f"max,{total.get_max_value()}\n")
