import { expect, it } from 'vitest';
import { type Mistake, mistaken } from '../helpers/mistaken.ts';
import type { SwitchOptions } from '../helpers/simulate-switch.ts';

/** Seeds that a mistake may take to be found. */
const SEEDS_MAX = 500;

/** Mistakes that a person could make in a switch. */
interface Planted extends Mistake {
  /** What is simulated besides; default as drawn. */
  readonly over?: SwitchOptions;
}

const VERSION = 'src/core/version.ts';
const WRITER = 'src/handlers/process-writer.ts';
const TURN = 'src/handlers/take-turn.ts';
const WATCH = 'src/handlers/version-watch.ts';

const PLANTED: Readonly<Record<string, Planted>> = {
  'the next version goes on without a marker': {
    file: WRITER,
    right: '  if (enters) await enter(context, state.heads, head);\n',
    wrong: '',
  },
  'the time of the switch is compared with the clock': {
    file: TURN,
    right: 'records.map(({ arrivalMs }) => arrivalMs)',
    wrong: 'records.map(() => head.freshMs)',
  },
  'the version before does not stop': {
    file: WRITER,
    right: 'records: records.slice(0, takes) };',
    wrong: 'records };',
  },
  'the next version does not refuse what came before the switch': {
    file: VERSION,
    right: '    return versions[Math.max(inForce, indexAt(versions, highMs))]?.print;\n',
    wrong: `    const print = versions[Math.max(inForce, indexAt(versions, highMs))]?.print;
    return print === versions[0]?.print ? own : print;
`,
  },
  'the next version takes over before its first record': {
    file: VERSION,
    right: 'if (takes === 0 && print !== own) {',
    wrong: 'if (takes === 0 && print !== own && !versions.some((one) => one.print === own)) {',
  },
  'a list is believed for longer than it is announced before': {
    file: WATCH,
    right: 'arrivalMs < one.askedMs + this.#believedMs,',
    wrong: 'arrivalMs < one.askedMs + 5 * this.#believedMs,',
  },
  'a container asks for the list once': {
    file: WATCH,
    right: 'arrivalMs < one.askedMs + this.#believedMs,',
    wrong: 'one.askedMs + this.#believedMs > 0,',
  },
  'a writer is handed over before all of it is finished': {
    file: WRITER,
    right: '  if (leavesTo === undefined || finished < takes) return finished;\n',
    wrong: '  if (leavesTo === undefined) return finished;\n',
  },
  'a record is of the version of its own arrival': {
    file: VERSION,
    right: '    highMs = Math.max(highMs, arrivalMs);\n',
    wrong: '    highMs = arrivalMs;\n',
    over: { policies: { arrivalSkewMs: 2_000 } },
  },
  'a marker forgets the position': {
    file: TURN,
    right: '    position,\n    watermarkMs: head',
    wrong: '    position: undefined,\n    watermarkMs: head',
  },
  'a marker forgets the watermark': {
    file: TURN,
    right: 'watermarkMs: head.watermarkMs,',
    wrong: 'watermarkMs: undefined,',
  },
  'a marker is written without its condition': {
    file: TURN,
    right: 'ports.ledger.putIf(writes, context),',
    wrong: 'ports.ledger.putAll(writes.map(({ item }) => item), context),',
  },
  'a version that was switched away from goes on': {
    file: VERSION,
    right: '  const print = stand.print ?? versions[before]?.print;\n',
    wrong: '  const print = own;\n',
  },
};

/** The first seed that finds a mistake, or undefined. */
async function foundBy({ over, ...mistake }: Planted): Promise<number | undefined> {
  const simulate = await mistaken([mistake], 'switch');
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const { violations } = await simulate(seed, over);
    if (violations.length > 0) return seed;
  }
  return undefined;
}

it.each(Object.entries(PLANTED))(
  'it is found when %s',
  async (_name, planted) => {
    expect(await foundBy(planted)).toBeDefined();
  },
  240_000,
);
