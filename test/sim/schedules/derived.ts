import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { makeMemoryOutlet } from '../../../src/adapters/memory/outlet.ts';
import { compile } from '../../../src/core/compile.ts';
import { InvariantError, TransientError } from '../../../src/core/errors.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { Outlet, SendResult } from '../../../src/ports/outlet.ts';
import { envelope, invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';
import { partitionIn, placeOf } from './keys.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';
import { sipHash24 } from './stored/hashes.ts';

const ID_BYTES_MAX = 256;
const BYTES_MAX = 1_000_000;
/** Of the pipelines that are fed. */
const PARTITIONS = { all: 7, large: 3 };

type Output = keyof typeof PARTITIONS;
type Row = { readonly place: string; readonly at: number; readonly amount: number };

const pipeline = definePipeline({
  name: 'feeds',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 2,
  transform: (events) =>
    events.flatMap((event) =>
      event.amount > 60 ? [event, { ...event, place: 'twice' }] : [event],
    ),
  outputs: ({ to }) => ({
    all: to('one', { key: 'place', event: contentOf }),
    large: to('two', {
      where: ({ place, amount }) => (place === 'no where' ? fail() : amount > 20),
      key: ({ place, amount }) => (place === 'no key' ? Number.NaN : amount),
      event: ({ place, at, amount }) => ({ place, at, amount }),
    }),
  }),
  windows: ({ tumbling, count }) => ({ hours: tumbling('1 hour', { keep: { events: count() } }) }),
});
const program = compile(pipeline);

const CASES: readonly (() => Promise<readonly string[]>)[] = [
  sent,
  named,
  refused,
  sized,
  unsent,
  missing,
];

/** What feeds other pipelines, byte by byte, and what becomes of a batch whose events are not taken. */
export const DERIVED: Schedule = {
  name: 'derived',
  scene: true,
  seeds: CASES.length,
  run: async (seed) => CASES[seed % CASES.length]?.() ?? [],
};

/** A place of digits stands for so many characters. */
function contentOf({ place, amount }: Pick<Row, 'place' | 'amount'>) {
  if (place === 'no event') fail();
  return /^\d+$/.test(place) ? { text: 'x'.repeat(Number(place)) } : { place, amount };
}

function fail(): never {
  throw new TypeError('on purpose');
}

function makeFed() {
  const world = makeWorld(NOON_MS + 7);
  const streams = { all: makeMemoryOutlet(world.clock), large: makeMemoryOutlet(world.clock) };
  const outlets = {
    all: { outlet: streams.all as Outlet, partitions: PARTITIONS.all },
    large: { outlet: streams.large as Outlet, partitions: PARTITIONS.large },
  };
  return { world, streams, ports: { ...world, outlets } };
}

interface Sent {
  readonly id: string;
  readonly place?: string;
  readonly amount?: number;
}

function recordOf({ id, place = 'ATL', amount = 1 }: Sent, sequence: number) {
  const data = { place, at: NOON_MS, amount };
  return record({ sequence, bytes: envelope({ sequence, id, data }), arrivalMs: NOON_MS + 5 });
}

async function take(ports: ReturnType<typeof makeFed>['ports'], events: readonly Sent[]) {
  const Records = events.map((event, index) => recordOf(event, index + 1));
  return makeConsume(ports, program)({ Records }, invocation(ports));
}

/** What has to be in a stream, in its order. */
function expected(output: Output, events: readonly Sent[]) {
  const count = PARTITIONS[output];
  return events.flatMap(({ id, place = 'ATL', amount = 1 }) => {
    const row = { place, at: NOON_MS, amount };
    const rows = amount > 60 ? [row, { ...row, place: 'twice' }] : [row];
    return rows.flatMap((one, index) => {
      if (output === 'large' && amount <= 20) return [];
      const partition = partitionIn(output === 'all' ? one.place : String(amount), count);
      const data = output === 'all' ? contentOf(one) : one;
      const document = {
        specversion: '1.0',
        id: idOf(`urn:test ${id}`, index),
        source: `urn:millrace:feeds:${output}`,
        type: `feeds.${output}`,
        time: '2026-11-20T12:00:00.000Z',
        datacontenttype: 'application/json',
        originms: String(NOON_MS + 5),
        data,
      };
      return [[`p-${partition}`, placeOf(partition, count), JSON.stringify(document)]];
    });
  });
}

/** The name and the row, or 128 bits of hash for a name that is too long for that. */
function idOf(name: string, index: number): string {
  const id = `${name} ${index}`;
  if (Buffer.byteLength(id) <= ID_BYTES_MAX) return id;
  const halves = ['millrace derive1', 'millrace derive2'].map((key) =>
    sipHash24(Buffer.from(key), Buffer.from(name)).toString(16).padStart(16, '0'),
  );
  return `${halves.join('')} ${index}`;
}

function checkSent({ streams }: ReturnType<typeof makeFed>, events: readonly Sent[]) {
  return (['all', 'large'] as const).flatMap((output) =>
    differs(
      `sent to ${output}`,
      streams[output].records.map(({ partitionKey, explicitHashKey, bytes }) => [
        partitionKey,
        explicitHashKey,
        Buffer.from(bytes).toString(),
      ]),
      expected(output, events),
    ),
  );
}

/** Rows and outputs of some events, in their order. */
async function sent(): Promise<readonly string[]> {
  const fed = makeFed();
  const events = [1, 20, 21, 60, 61, 99].map((amount) => ({
    id: `e${amount}`,
    place: `place ${amount}`,
    amount,
  }));
  const { report, response } = await take(fed.ports, events);
  return [
    ...checkSent(fed, events),
    ...differs('derived', report.derived, 8 + 6),
    ...differs('answer', response.batchItemFailures, []),
  ];
}

/** Names on both sides of what fits, in characters of one to four bytes. */
async function named(): Promise<readonly string[]> {
  const fed = makeFed();
  const around = ['x', 'é', '€', '😀'].flatMap((one) => {
    // Source, two spaces and the row.
    const fits = Math.floor((ID_BYTES_MAX - 'urn:test  0'.length) / Buffer.byteLength(one));
    return [fits / 2, fits - 1, fits, fits + 1, 3 * fits].map((count) => one.repeat(count));
  });
  const long = Array.from({ length: 40 }, (_, index) => `${index}${'y'.repeat(300)}`);
  const events = [...around, ...long].map((id) => ({ id }));
  await take(fed.ports, events);
  return checkSent(fed, events);
}

/** What the user's functions throw refuses the event, of which nothing is sent then. */
async function refused(): Promise<readonly string[]> {
  const fed = makeFed();
  const wrong = ['no where', 'no key', 'no event'].map((place) => ({
    id: place,
    place,
    amount: 50,
  }));
  const right = [{ id: 'right', amount: 50 }];
  const { report } = await take(fed.ports, [...wrong, ...right]);
  const documents = fed.world.quarantineIndex.items().map(({ r }) => r);
  return [
    ...checkSent(fed, right),
    ...differs('reasons', report.reasons, { transform: 3 }),
    ...differs('index', documents, ['transform', 'transform', 'transform']),
  ];
}

/** All that is made of one event, as much as fits and a byte more. */
async function sized(): Promise<readonly string[]> {
  const [[, , head = ''] = []] = expected('all', [{ id: 'size', place: '0' }]);
  const found: string[] = [];
  for (const [bytes, reasons] of [
    [BYTES_MAX, {}],
    [BYTES_MAX + 1, { 'too-large': 1 }],
  ] as const) {
    const fed = makeFed();
    const event = { id: 'size', place: String(bytes - head.length) };
    const { report } = await take(fed.ports, [event]);
    found.push(
      ...differs(`${bytes} bytes`, report.reasons, reasons),
      ...checkSent(fed, bytes > BYTES_MAX ? [] : [event]),
    );
  }
  return found;
}

/** The records before the first one whose events are not all taken are finished, and no others. */
async function unsent(): Promise<readonly string[]> {
  const events = [30, 10, 70, 40, 5].map((amount) => ({ id: `e${amount}`, amount }));
  const found: string[] = [];
  for (const [output, taken, first, derived] of [
    ['large', 0, '1', 0],
    ['large', 1, '3', 3],
    ['large', 2, '3', 3],
    ['large', 3, '4', 7],
    ['all', 1, '2', 2],
    ['all', 4, '4', 7],
  ] as const) {
    const where = `${output} takes ${taken}`;
    const fed = makeFed();
    const { [output]: stream } = fed.ports.outlets;
    const error = new TransientError('throttled');
    const outlets = {
      ...fed.ports.outlets,
      [output]: { ...stream, outlet: takingSome(stream.outlet, taken, error) },
    };
    const { report, response } = await take({ ...fed.ports, outlets }, events);
    const others = fed.streams[output === 'all' ? 'large' : 'all'].records.length;
    const again = await take(fed.ports, events);
    found.push(
      ...differs(where, response.batchItemFailures, [{ itemIdentifier: first }]),
      ...differs(`${where}: derived`, report.derived, derived),
      ...differs(`${where}: stops`, report.stops, ['TransientError: throttled']),
      ...differs(`${where}: others`, others, output === 'all' ? 4 : 6),
      ...differs(`${where}: again`, again.response.batchItemFailures, []),
      ...differs(`${where}: in all`, derived + again.report.derived, 10),
    );
  }
  return found;
}

/** Takes so many records in all, and fails for each after them. */
function takingSome(outlet: Outlet, most: number, error: Error): Outlet {
  let left = most;
  return {
    send: async (records, options) => {
      const some = await outlet.send(records.slice(0, left), options);
      left -= some.length;
      return [
        ...some,
        ...records.slice(some.length).map((): SendResult => ({ status: 'failed', error })),
      ];
    },
  };
}

/** A consumer isn't made without the stream of each output. */
async function missing(): Promise<readonly string[]> {
  const { world, ports } = makeFed();
  const { all } = ports.outlets;
  const made = (outlets: ConsumePorts['outlets']) => {
    try {
      makeConsume(outlets === undefined ? world : { ...world, outlets }, program);
      return 'made';
    } catch (error) {
      return error instanceof InvariantError ? 'refused' : String(error);
    }
  };
  const some: readonly ConsumePorts['outlets'][] = [undefined, {}, { all }, ports.outlets];
  return differs('made', some.map(made), ['refused', 'refused', 'refused', 'made']);
}
