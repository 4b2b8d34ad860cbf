import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../ports/random.ts';
import type { Table } from '../../ports/table.ts';
import { Arrivals } from './arrivals.ts';
import type { LoadStep } from './knee.ts';
import { Latencies } from './latencies.ts';
import { OpenSender, type OpenSenderOptions, type Sent } from './open-sender.ts';
import { ResultsWatch, type SentEvent } from './results-watch.ts';

/** One rate that is tried. */
export interface TryOptions
  extends Pick<OpenSenderOptions, 'outlet' | 'event' | 'partitions' | 'epoch' | 'signal'> {
  readonly rate: number;
  readonly seconds: number;
  /** How long results are waited for after the last event was due, milliseconds. */
  readonly waitMs: number;
  readonly ledger: Table;
  /** Writers that events can go to, as far as they are known before. */
  readonly writers: readonly string[];
  readonly random: Random;
  readonly onProgress: (progress: Sent & { readonly waiting: number }) => void;
}

/** Between two looks for results, milliseconds. */
const LOOK_MS = 500;

/** Sends at a rate for a while, waits for the results, and measures both. @throws the signal's reason */
export async function tryRate(options: TryOptions): Promise<LoadStep> {
  const { rate, seconds, waitMs, signal, onProgress, random, ledger } = options;
  const put = new Latencies();
  const measured = new Measured();
  const watch = new ResultsWatch(ledger, (event, storedMs) => measured.add(event, storedMs));
  for (const writer of options.writers) await watch.begin(writer);
  const startMs = Date.now();
  const giveUpMs = startMs + seconds * 1000 + waitMs;
  const sender = new OpenSender({
    ...options,
    arrivals: new Arrivals({ startMs, rate, seconds, random }),
    giveUpMs,
    onTaken: (event, takenMs) => {
      put.add(takenMs - event.dueMs);
      watch.add(event);
    },
  });
  let sending = true;
  const sent = sender.run().finally(() => {
    sending = false;
  });
  // Awaited below; until then a failure must not count as unhandled.
  sent.catch(() => undefined);
  while ((sending || watch.waiting > 0) && Date.now() < giveUpMs) {
    await watch.look();
    onProgress({ ...sender.sent, waiting: watch.waiting });
    await delay(LOOK_MS, undefined, { signal });
  }
  const { offered, taken, refused } = await sent;
  await watch.look();
  const finished = taken - watch.waiting;
  watch.forget();
  const { growthMs, summary } = measured.result(startMs, seconds);
  return {
    rate,
    seconds,
    offered,
    taken,
    refused,
    finished,
    put: put.summary,
    result: summary,
    growthMs,
  };
}

/** Latencies of results, by when their events were due. */
class Measured {
  readonly #all = new Latencies();
  readonly #times: { readonly dueMs: number; readonly ms: number }[] = [];

  add({ dueMs }: SentEvent, storedMs: number): void {
    this.#all.add(storedMs - dueMs);
    this.#times.push({ dueMs, ms: storedMs - dueMs });
  }

  result(startMs: number, seconds: number) {
    const third = (seconds * 1000) / 3;
    const early = this.#times.filter(({ dueMs }) => dueMs < startMs + third);
    const late = this.#times.filter(({ dueMs }) => dueMs >= startMs + 2 * third);
    return { summary: this.#all.summary, growthMs: Math.max(0, medianOf(late) - medianOf(early)) };
  }
}

function medianOf(times: readonly { readonly ms: number }[]): number {
  const latencies = new Latencies();
  for (const { ms } of times) latencies.add(ms);
  return latencies.summary.p50;
}
