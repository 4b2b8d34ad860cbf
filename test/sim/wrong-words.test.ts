import { expect, it } from 'vitest';
import { idleOptions } from '../helpers/idle-days.ts';
import { type Mistake, mistaken } from '../helpers/mistaken.ts';
import type { SmallOptions } from '../helpers/simulate-small.ts';

/** Seeds that a mistake may take to be found. */
const SEEDS_MAX = 500;

/** Mistakes that a person could make: a word or a line in the source of the handlers, the core or the mapping. */
interface Planted extends Mistake {
  /** What is simulated; default the small pipeline under all faults. */
  readonly over?: SmallOptions | ((seed: number) => SmallOptions);
}

const IDENTIFY = 'src/core/identify.ts';
const PLAN = 'src/core/plan.ts';
const WRITER = 'src/handlers/process-writer.ts';
const PACKS = 'src/handlers/write-packs.ts';
const HEADS = 'src/handlers/ledger-heads.ts';

const PLANTED: Readonly<Record<string, Planted>> = {
  'the ledger is written before the cells': {
    file: WRITER,
    right: '  const written = await writePacks(context, {',
    wrong: `  if (durable > 0) {
    const first = decisions.slice(0, durable);
    await appendEntry(context, { heads: state.heads, head: planned.head, decisions: first, packs });
  }
  const written = await writePacks(context, {`,
  },
  'positions are compared with < for <=': {
    file: 'src/core/position.ts',
    right: 'comparePositions(position, head) > 0',
    wrong: 'comparePositions(position, head) >= 0',
  },
  'shards are left out where positions are compared': {
    file: 'src/core/position.ts',
    right: '  if (left.shard !== right.shard) return left.shard - right.shard;\n',
    wrong: '',
  },
  'a failed record is reported one too late': {
    file: 'src/handlers/consume.ts',
    right: '  run.unfinished.push(first);',
    wrong: '  run.unfinished.push(records[records.indexOf(first) + 1] ?? first);',
  },
  'unprocessed events are ignored': {
    file: 'src/handlers/write-events.ts',
    right: ".filter((_, index) => results[index]?.status !== 'written')",
    wrong: '.filter((_, index) => results[index] === undefined)',
  },
  'unprocessed items of the quarantine index are ignored': {
    file: 'src/handlers/write-quarantine.ts',
    right: "chunk.filter((_, index) => results[index]?.status !== 'written')",
    wrong: 'chunk.filter((_, index) => results[index] === undefined)',
  },
  'a page that was never stored has no condition, and one that was has another': {
    file: PACKS,
    right: "{ type: 'equals', attribute: PAGE_POSITION, value: page.encodedPosition }",
    wrong: "{ type: 'equals', attribute: 'v', value: 2 }",
  },
  'a failed condition of a page leaves what is known of it': {
    file: PACKS,
    right: '  else work.pack = undefined;',
    wrong: '  else work.pack?.written(page, { ...prepared, position: end });',
  },
  'the cache keeps a pack that is being written': {
    file: 'src/handlers/pack-cache.ts',
    right: '    this.#packs.delete(key);\n    this.#cells -= pack.size;\n',
    wrong: '',
  },
  'a warm head is not compared with the ledger': {
    file: HEADS,
    right: '        const done = result.item === undefined ? undefined : this.catchUp',
    wrong: '        const done = true ? undefined : this.catchUp',
  },
  'the deadline is ignored, so that late writes are sent': {
    file: 'src/handlers/reserve.ts',
    right: 'deadlineMs: endMs - answerMs',
    wrong: 'deadlineMs: endMs + 60_000',
  },
  'repeats count again': {
    file: IDENTIFY,
    right: "    if (seen.check === check) return 'duplicate';",
    wrong: '    if (seen.check === check) return { ...hash, check, arrivalMs };',
  },
  'the horizon counts from the other end': {
    file: IDENTIFY,
    right: 'seen.arrivalMs < sinceMs',
    wrong: 'seen.arrivalMs <= arrivalMs',
  },
  'the mapping leaves out the first record of a right half': {
    file: 'src/mapping/batch.ts',
    right: '{ records: batch.records.slice(middle), attempts: 0 }',
    wrong: '{ records: batch.records.slice(middle + 1), attempts: 0 }',
  },
  'the mapping skips the right half': {
    file: 'src/mapping/lane.ts',
    right: '    this.#backlog.putBack(right);\n',
    wrong: '    void right;\n',
  },
  'a shard is read while its grandparent still has records': {
    file: 'src/mapping/engine.ts',
    right: ' && this.#parentsDone(parent);',
    wrong: ';',
  },
  'the watermark is moved by quarantined events': {
    file: PLAN,
    right: "      this.decisions.push({ ...before, type: 'rejected', rejection });",
    wrong: `      const { eventTimeMs, reason } = rejection;
      if (eventTimeMs !== undefined && reason !== 'future') {
        this.#watermarkMs = Math.max(this.#watermarkMs ?? eventTimeMs, eventTimeMs);
      }
      this.decisions.push({ ...before, type: 'rejected', rejection });`,
    over: { mix: { bad: 0.3, pace: 'backlog' } },
  },
  'the watermark is moved by a future event': {
    file: PLAN,
    right: "      this.decisions.push({ ...before, type: 'rejected', rejection });",
    wrong: `      const { eventTimeMs, reason } = rejection;
      if (eventTimeMs !== undefined && reason === 'future') {
        this.#watermarkMs = Math.max(this.#watermarkMs ?? eventTimeMs, eventTimeMs);
      }
      this.decisions.push({ ...before, type: 'rejected', rejection });`,
  },
  'the epoch is asked for once and never again': {
    file: 'src/handlers/epoch-watch.ts',
    right: 'Math.abs(now - this.#askedMs) < BELIEVED_MS',
    wrong: 'this.#askedMs > 0',
  },
  'an entry has the watermark of the whole batch': {
    file: WRITER,
    right: '  const prefix = decisions.slice(0, finished);',
    wrong: `  const { watermarkMs } = decisions[decisions.length - 1] ?? { watermarkMs: undefined };
  const prefix = decisions.slice(0, finished).map((one) => ({ ...one, watermarkMs }));`,
    over: { mix: { pace: 'backlog' } },
  },
  'what is folded into a page starts at the ledger, not at the page': {
    file: PACKS,
    right: 'return record !== undefined && isAfter(record.position, position);',
    wrong: 'return record !== undefined;',
  },
  'a child shard does not know its ancestors': {
    file: HEADS,
    right: '    for (const ancestor of await request.ancestors(context)) {',
    wrong: '    for (const ancestor of (await request.ancestors(context)).slice(1)) {',
    over: { variant: 'shards', mix: { repeats: 0.3 } },
  },
  'the keeper renews an entry without its watermark': {
    file: 'src/handlers/keep.ts',
    right: '    ids: [],',
    wrong: '    ids: [], watermarkMs: undefined,',
    // Only a writer that is idle for long is renewed.
    over: idleOptions,
  },
  'a killer is quarantined although it never came to an end only once': {
    file: 'src/core/attempt.ts',
    right: 'export const DEATHS_TO_QUARANTINE = 3;',
    wrong: 'export const DEATHS_TO_QUARANTINE = 1;',
  },
  'what was not computed is noted as computed': {
    file: 'src/handlers/attempt-guard.ts',
    right: 'computedThrough: furthest(attempt.computedThrough, computed?.position),',
    wrong: 'computedThrough: attempt.through,',
    over: { mix: { killers: 0.05 } },
  },
  'an aggregate counts as one event': {
    file: 'src/handlers/kinesis-batch.ts',
    right: '  const inner = splitAggregate(outer.bytes);',
    wrong: '  const inner = splitAggregate(outer.bytes)?.slice(0, 1);',
  },
};

/** The first seed that finds a mistake, or undefined. */
async function foundBy({ over, ...mistake }: Planted): Promise<number | undefined> {
  const simulate = await mistaken([mistake], 'small');
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const { violations } = await simulate(seed, typeof over === 'function' ? over(seed) : over);
    if (violations.length > 0) return seed;
  }
  return undefined;
}

it.each(Object.entries(PLANTED))(
  'it is found when %s',
  async (_name, planted) => {
    expect(await foundBy(planted)).toBeDefined();
  },
  120_000,
);
