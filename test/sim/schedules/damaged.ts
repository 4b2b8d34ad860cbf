import { compile } from '../../../src/core/compile.ts';
import { InvariantError } from '../../../src/core/errors.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { KinesisBatch } from '../../../src/handlers/kinesis-batch.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { Item, Table } from '../../../src/ports/table.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import type { SimOptions } from '../../../src/sim/schedule.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { widePipeline } from '../../helpers/wide-pipeline.ts';
import { NOON_MS } from '../../helpers/world.ts';
import { nameOf, type Observed, observe, type Run } from './observe.ts';
import type { Schedule } from './schedule.ts';

const program = compile(widePipeline);

/** @param all what was read together; undefined takes the item away */
type Damage = (item: Item, all: readonly Item[]) => Item | undefined;

/** Sets an attribute; undefined takes it away. */
function set(attribute: string, value: Item[string] | undefined): Damage {
  return (item) => {
    const kept = Object.entries(item).filter(([name]) => name !== attribute);
    const added = value === undefined ? [] : [[attribute, value] as const];
    return { ...Object.fromEntries([...kept, ...added]), pk: item.pk, sk: item.sk };
  };
}

/** Changes the bytes of an attribute, where the item has it. */
function bytes(attribute: string, change: (bytes: Uint8Array) => readonly number[]): Damage {
  return (item) => {
    const value = item[attribute];
    if (!(value instanceof Uint8Array)) return item;
    return { ...item, [attribute]: Uint8Array.from(change(value)) };
  };
}

const entry = ({ sk }: Item) => sk.startsWith('e#');
const from = (n: number) => (item: Item) => entry(item) && Number(item.sk.slice(2)) >= n;
const only = (n: number) => (item: Item) => entry(item) && Number(item.sk.slice(2)) === n;
const page = ({ sk }: Item) => sk.includes('|');
const pageOf = (aggregate: string) => (item: Item) =>
  page(item) && item.pk.startsWith(`1|${aggregate}|`);
const idKey = ({ pk }: Item) => pk === 'id-key';

interface Case {
  readonly which: (item: Item) => boolean;
  readonly damage: Damage;
}

/** What stored items can be damaged by. A handler that goes on would count wrongly, or for ever fail. */
const ITEMS: Readonly<Record<string, Case>> = {
  'an entry of another format': { which: entry, damage: set('v', 2) },
  'an entry of an older format': { which: entry, damage: set('v', 0) },
  'an entry whose position is none': { which: entry, damage: set('p', '1:x:0') },
  'an entry whose position has a zero too many': { which: entry, damage: set('p', '0:01:0') },
  'an entry whose position is too short': { which: entry, damage: set('p', '0:1') },
  'an entry whose position is a number': { which: entry, damage: set('p', 7) },
  'an entry whose watermark is a text': { which: entry, damage: set('w', 'x') },
  'an entry whose close is a text': { which: entry, damage: set('c', 'x') },
  'an entry without its arrival': { which: entry, damage: set('a', undefined) },
  'an entry without its fingerprint': { which: entry, damage: set('f', undefined) },
  'an entry without its time': { which: entry, damage: set('t', undefined) },
  'an entry without its life': { which: entry, damage: set('ttl', undefined) },
  'an entry whose ids are a text': { which: entry, damage: set('i', 'x') },
  'ids with a byte missing': { which: entry, damage: bytes('i', (all) => [...all.slice(0, -1)]) },
  'ids with a byte more': { which: entry, damage: bytes('i', (all) => [...all, 0]) },
  'ids that end early': { which: entry, damage: bytes('i', ([count = 0]) => [count]) },
  'ids that are too many': {
    which: entry,
    damage: bytes('i', ([count = 0, ...rest]) => [count + 1, ...rest]),
  },
  'ids that are too few': {
    which: entry,
    damage: bytes('i', ([count = 0, ...rest]) => [count - 1, ...rest]),
  },
  'ids in an empty run': {
    which: entry,
    damage: bytes('i', ([count = 0, base = 0]) => [count, base, 0, ...Array(11 * count).fill(0)]),
  },
  'ids in a run too long': {
    which: entry,
    damage: bytes('i', ([count = 0]) => [count, 0, count + 1, ...Array(11 * count).fill(0)]),
  },
  'a number of ids that does not end': {
    which: entry,
    damage: bytes('i', () => Array(12).fill(0xff)),
  },
  'an entry that is missing': {
    which: only(2),
    damage: (item, all) => (all.length > 2 ? undefined : item),
  },
  'an entry that goes back': { which: from(3), damage: set('p', '0:0:0') },
  'an entry that goes back to the start': { which: from(3), damage: set('p', undefined) },
  'a watermark that goes back': { which: from(3), damage: set('w', NOON_MS - 1e9) },
  'a watermark that is gone': { which: from(3), damage: set('w', undefined) },
  'an arrival that goes back': {
    which: from(3),
    damage: (item) => set('i', undefined)({ ...item, a: 1 }, []),
  },
  'a page of another format': { which: page, damage: set('v', 3) },
  'a page of an older format': { which: page, damage: set('v', 1) },
  'a page whose position is none': { which: page, damage: set('p', 'x') },
  'a page whose position is too long': { which: page, damage: set('p', '0.1.0') },
  'a page whose position is a number': { which: page, damage: set('p', 5) },
  'a page whose cells are a text': { which: page, damage: set('d', 'x') },
  'a page without its life': { which: page, damage: set('ttl', undefined) },
  'an empty page': { which: page, damage: bytes('d', () => []) },
  'a page with a byte missing': { which: page, damage: bytes('d', (all) => [...all.slice(0, -1)]) },
  'a page with a byte more': { which: page, damage: bytes('d', (all) => [...all, 0]) },
  'a page with half a varint': { which: page, damage: bytes('d', (all) => [...all, 0x80]) },
  'a page with a group that is no text': { which: page, damage: bytes('d', () => [0, 0, 7, 0xa0]) },
  'a page with a value of no kind': { which: page, damage: bytes('d', () => [0, 0, 0x80, 0xba]) },
  'a page with a state too few': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0x80, 0xa1, 1]),
  },
  'a page with a state too many': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0x80, 0xa3, 1, 1, 1]),
  },
  'a page whose states are no list': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0x80, 1]),
  },
  'a page of lists too deep': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0x80, ...Array(40).fill(0xa1), 1]),
  },
  'a page of broken UTF-8': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0x81, 0xff, 0xa2, 1, 1]),
  },
  'a long text of broken UTF-8': {
    which: pageOf('labels'),
    damage: bytes('d', () => [0, 0, 0xb6, 1, 0xff, 0xa2, 1, 1]),
  },
  'sessions of two values': {
    which: pageOf('runs'),
    damage: bytes('d', () => [0, 0, 0x80, 0xa2, 1, 1]),
  },
  'sessions that are no list': { which: pageOf('runs'), damage: bytes('d', () => [0, 0, 0x80, 1]) },
  'a key of the ids that is a text': { which: idKey, damage: set('k', 'x') },
  'a key of the ids that is too short': {
    which: idKey,
    damage: bytes('k', (all) => [...all.slice(0, -1)]),
  },
};

type Delivered = KinesisBatch['Records'][number];

/** Records that are not as Lambda documents them. */
const RECORDS: Readonly<Record<string, (record: Delivered) => Delivered>> = {
  'a sequence number that is none': (one) => withKinesis(one, { sequenceNumber: '12x' }),
  'a sequence number that begins with a letter': (one) =>
    withKinesis(one, { sequenceNumber: 'x12' }),
  'an empty sequence number': (one) => withKinesis(one, { sequenceNumber: '' }),
  'a sequence number that is too long': (one) =>
    withKinesis(one, { sequenceNumber: '1'.repeat(129) }),
  'an arrival before 1970': (one) => withKinesis(one, { approximateArrivalTimestamp: -1 }),
  'an arrival at 1970': (one) => withKinesis(one, { approximateArrivalTimestamp: 0 }),
  'an arrival that is none': (one) => withKinesis(one, { approximateArrivalTimestamp: Number.NaN }),
  'an event id without its shard': (one) => ({
    ...one,
    eventID: `${one.kinesis.sequenceNumber}:1`,
  }),
  'a shard of too few digits': (one) => ({
    ...one,
    eventID: one.eventID.replace('shardId-0', 'shardId-'),
  }),
  'a shard with letters': (one) => ({
    ...one,
    eventID: one.eventID.replace('shardId-0', 'shardId-x'),
  }),
  'a shard of another name': (one) => ({ ...one, eventID: `x${one.eventID}` }),
};

function withKinesis(record: Delivered, over: Partial<Delivered['kinesis']>): Delivered {
  return { ...record, kinesis: { ...record.kinesis, ...over } };
}

const CASES = [...Object.keys(ITEMS), ...Object.keys(RECORDS)];

/** What is read is damaged: the handler says so, and writes nothing on top of it. */
export const DAMAGED: Schedule = {
  name: 'damaged',
  seeds: CASES.length,
  run: async (seed) => {
    const name = CASES[seed % CASES.length] ?? '';
    const found = ITEMS[name];
    const options = optionsOf(seed, RECORDS[name]);
    let damages = 0;
    const observed = await observe(options, (ports) =>
      found === undefined
        ? ports
        : damaged(ports, (item, all) => {
            if (!found.which(item)) return item;
            damages += 1;
            return found.damage(item, all);
          }),
    );
    if (found !== undefined && damages === 0) return [`${name}: was never read`];
    return check(observed).map((text) => `${name}: ${text}`);
  },
};

/** Each invocation in a container that knows nothing. The mapping would try for ever; nobody waits for it. */
function optionsOf(
  seed: number,
  change: ((record: Delivered) => Delivered) | undefined,
): SimOptions {
  const makeHandler: SimOptions['makeHandler'] = (ports, given, options) => {
    const consume = makeConsume(ports, given, options);
    if (change === undefined) return consume;
    return ({ Records }, invocation) => consume({ Records: Records.map(change) }, invocation);
  };
  const events = simEvents(seed, 60, { strays: 0, late: 0, bad: 0 });
  return {
    ...smallOptions(seed, {
      events: events.map((event) => ({ ...event, atMs: NOON_MS + (event.atMs - NOON_MS) * 4 })),
      faults: { ...onlyFaults([]), coldStart: 1 },
      policies: PLAIN_POLICIES,
      shards: 1,
      settings: { batchSize: 6, windowMs: 1_000 },
      makeHandler,
    }),
    pipeline: widePipeline,
    program: () => program,
  };
}

function damaged(ports: ConsumePorts, change: Damage): ConsumePorts {
  const table = (of: Table): Table => ({
    ...of,
    get: async (keys, options) => {
      const results = await of.get(keys, options);
      return results.map((result) =>
        result.status === 'read' && result.item !== undefined
          ? { status: 'read', item: change(result.item, [result.item]) }
          : result,
      );
    },
    query: async (query, options) => {
      const { items, next } = await of.query(query, options);
      return { items: items.flatMap((item) => change(item, items) ?? []), next };
    },
  });
  return { ...ports, ledger: table(ports.ledger), aggregates: table(ports.aggregates) };
}

/** At least one run met the damage; whichever did threw, appended nothing, and left nothing running. */
function check({ runs, requests }: Observed): readonly string[] {
  const refused = runs.filter(
    ({ error }) =>
      error instanceof InvariantError || error instanceof TypeError || error instanceof RangeError,
  );
  if (refused.length === 0) return ['was taken as it is'];
  return refused.flatMap(({ container, run, endMs = 0 }: Run) => {
    const own = requests.filter((one) => one.container === container && one.run === run);
    const appended = own.filter((one) => nameOf(one) === 'ledger.putIf e#');
    const writes = own.filter(({ operation }) => /put/.test(operation));
    const open = writes.filter(({ answeredMs = Number.POSITIVE_INFINITY }) => answeredMs > endMs);
    return [
      ...(appended.length > 0 ? ['something was appended all the same'] : []),
      ...open.map(({ operation }) => `${operation} goes on after the end`),
    ];
  });
}
