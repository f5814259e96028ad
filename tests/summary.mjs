// Reads the report of one test run (CTRF, https://ctrf.io) and prints "passed failed skipped",
// then each distinct reason for skipping with how many tests it kept from running.
import { readFileSync } from "node:fs";

const { summary, tests } = JSON.parse(readFileSync(process.argv[2], "utf8")).results;
const reasons = new Map();
for (const test of tests.filter((test) => test.status === "skipped")) {
  const reason = (test.message ?? "no reason given").split("\n")[0];
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}
console.log(summary.passed, summary.failed + (summary.other ?? 0), summary.skipped + (summary.pending ?? 0));
for (const [reason, count] of reasons) console.log(`${reason} (${count} tests)`);
