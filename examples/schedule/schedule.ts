// Each night at three, by the clock of Berlin. Usage: npx tsx schedule/schedule.ts URL
import { Client } from "@upstash/qstash";

const client = new Client(); // reads QSTASH_URL and QSTASH_TOKEN

const { scheduleId } = await client.schedules.create({
  destination: process.argv[2],
  cron: "CRON_TZ=Europe/Berlin 0 3 * * *",
  scheduleId: "nightly-report", // run again, it changes this schedule and makes no second one
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ report: "yesterday" }),
});
console.log(scheduleId);
