// Makes js.hlog and js.expected.csv with hdr-histogram-js 3.x (npm). Synthetic values, no
// clock: the same files every time. Run: node make_js.js
const fs = require("fs");
const hdr = require("hdr-histogram-js");

const build = (digits) => hdr.build({ bitBucketSize: 64, highestTrackableValue: 1e11, numberOfSignificantValueDigits: digits });
let text = "";
const log = new hdr.HistogramLogWriter((part) => { text += part; });
log.outputLogFormatVersion();
log.outputComment("hdr-histogram-js, synthetic values; tag B has two digits in one interval and three in the other");
log.outputStartTime(1700000000000);
log.outputLegend();
const totals = { A: build(3), B: build(3) };
for (let second = 0; second < 4; second++) {
  for (const tag of ["A", "B"]) {
    const interval = build(tag === "B" && second % 2 === 1 ? 2 : 3);
    for (let nth = 1; nth <= 1000; nth++) {
      const value = tag === "A" ? nth * nth * (second + 1) : (nth % 97) * 1_000_003;
      interval.recordValue(value);
    }
    totals[tag].add(interval);
    interval.tag = tag;
    interval.startTimeStampMsec = 1700000000000 + second * 1000;
    interval.endTimeStampMsec = 1700000001000 + second * 1000;
    log.outputIntervalHistogram(interval);
  }
}
fs.writeFileSync("js.hlog", text);
let expected = "";
for (const tag of ["A", "B"]) {
  const total = totals[tag];
  expected += `${tag},count,${total.totalCount}\n`;
  for (const column of [10, 50, 90, 95, 99, 99.9, 99.99]) {
    expected += `${tag},${column},${total.getValueAtPercentile(column)}\n`;
  }
  expected += `${tag},max,${total.maxValue}\n`;
}
fs.writeFileSync("js.expected.csv", expected);
