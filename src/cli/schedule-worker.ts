import { parentPort, workerData } from 'node:worker_threads';
import { openSchedules, runSchedule } from './schedules.ts';

/**
 * A thread that runs schedules: it is given what they have in common once, then one seed after the other.
 * A seed gives the same in every thread.
 */

// The stacks of simulated refusals are never read, and cost a tenth of the time.
Error.stackTraceLimit = 0;

const optionsOf = await openSchedules(workerData);
parentPort?.on('message', async (seed: number) => {
  parentPort?.postMessage(await runSchedule(optionsOf(seed)));
});
parentPort?.postMessage('ready');
