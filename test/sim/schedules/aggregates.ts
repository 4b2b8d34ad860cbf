import { createHash } from 'node:crypto';
import { compile } from '../../../src/core/compile.ts';
import { makeAggregate } from '../../../src/handlers/aggregate.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';

const program = compile(smallPipeline);

/** A number in protobuf: seven bits a byte, low ones first. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A field of a protobuf message: bytes, or a number. */
function field(number: number, value: Uint8Array | readonly number[] | number): readonly number[] {
  if (typeof value === 'number') return [...varint(number * 8), ...varint(value)];
  return [...varint(number * 8 + 2), ...varint(value.length), ...value];
}

const MAGIC = [0xf3, 0x89, 0x9a, 0xc2];

/** The bytes of a record that holds the message, as the format says. */
function packed(message: readonly number[]): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(MAGIC), bytes, createHash('md5').update(bytes).digest()]);
}

/** With another digest. */
function damaged(message: readonly number[]): Buffer {
  return Buffer.from([...packed(message).subarray(0, -1), 0]);
}

/** An event of an id in an aggregate, as its own bytes. */
export function innerEvent(id: string): Uint8Array {
  return envelope({ sequence: 0, id, data: { place: 'ATL', at: NOON_MS, amount: 1 } });
}

const key = (name: string) => field(1, Buffer.from(name));
const hashKey = (text: string) => field(2, Buffer.from(text));
const inner = (id: string, index = 0) =>
  field(3, [...field(1, index), ...field(3, innerEvent(id))]);
const own = key('p-0');

/** What becomes of a record: the ids that are accepted, in their order, each with its index; or why it is refused. */
type Expected = Readonly<Record<string, number>> | 'not-decodable' | 'unknown-partition';

/** A record, and what becomes of it. */
export interface AggregateCase {
  readonly bytes: Uint8Array;
  readonly expected: Expected;
}

const fixed = (number: number, wire: number, count: number) => [
  number * 8 + wire,
  ...Array<number>(count).fill(1),
];

/** Good aggregates, odd ones and broken ones. */
export const AGGREGATE_CASES: readonly AggregateCase[] = [
  {
    bytes: packed([...own, ...inner('a'), ...inner('b'), ...inner('c')]),
    expected: { a: 0, b: 1, c: 2 },
  },
  // Tables behind the records that point into them, and fields that nobody knows.
  { bytes: packed([...inner('d'), ...own]), expected: { d: 0 } },
  {
    bytes: packed([
      ...field(9, 7),
      ...field(10, [1, 2]),
      ...fixed(11, 1, 8),
      ...fixed(12, 5, 4),
      ...own,
      ...inner('e'),
    ]),
    expected: { e: 0 },
  },
  {
    bytes: packed([
      ...own,
      ...hashKey('1'),
      ...field(3, [...field(1, 0), ...field(2, 0), ...field(3, innerEvent('f'))]),
    ]),
    expected: { f: 0 },
  },
  {
    bytes: packed([
      ...own,
      ...field(3, [...field(9, 1), ...field(1, 7), ...field(1, 0), ...field(3, innerEvent('g'))]),
    ]),
    expected: { g: 0 },
  },
  { bytes: packed([...key('p-1'), ...own, ...inner('h', 1)]), expected: { h: 0 } },
  {
    bytes: makeAggregate([
      { partitionKey: 'p-0', data: innerEvent('i') },
      { partitionKey: 'p-0', explicitHashKey: '7', data: innerEvent('j') },
    ]),
    expected: { i: 0, j: 1 },
  },
  {
    bytes: packed([
      ...own,
      ...inner('k'),
      ...field(3, [...field(1, 0), ...field(3, [0x7b])]),
      ...inner('l'),
    ]),
    expected: { k: 0, l: 2 },
  },
  // Not its own partition: a stray.
  { bytes: packed([...key('p-1'), ...inner('m')]), expected: 'unknown-partition' },
  // No aggregate, or a broken one: the record is what its bytes are.
  { bytes: packed([]), expected: 'not-decodable' },
  { bytes: packed(own), expected: 'not-decodable' },
  { bytes: Buffer.from(MAGIC), expected: 'not-decodable' },
  { bytes: Buffer.from([...MAGIC, ...Array<number>(16).fill(0)]), expected: 'not-decodable' },
  {
    bytes: Buffer.from([0xf3, 0x89, 0x9a, 0xc3, ...packed([...own, ...inner('n')]).subarray(4)]),
    expected: 'not-decodable',
  },
  { bytes: damaged([...own, ...inner('o')]), expected: 'not-decodable' },
  { bytes: packed([...own, ...inner('p', 1)]), expected: 'not-decodable' },
  {
    bytes: packed([
      ...own,
      ...hashKey('1'),
      ...field(3, [...field(1, 0), ...field(2, 3), ...field(3, innerEvent('q'))]),
    ]),
    expected: 'not-decodable',
  },
  { bytes: packed([...own, ...field(3, 5), ...inner('r')]), expected: 'not-decodable' },
  { bytes: packed([...own, ...field(3, field(3, innerEvent('s')))]), expected: 'not-decodable' },
  { bytes: packed([...own, ...field(3, field(1, 0))]), expected: 'not-decodable' },
  { bytes: packed([...field(1, 5), ...inner('t')]), expected: 'not-decodable' },
  { bytes: packed([...own, 0, 1, ...inner('u')]), expected: 'not-decodable' },
  { bytes: packed([...own, 0x23, ...inner('v')]), expected: 'not-decodable' },
  { bytes: packed([...own, ...inner('w').slice(0, -1)]), expected: 'not-decodable' },
];

/** Records that producers packed into one: each is taken out in its place, and what is broken stays whole. */
export const AGGREGATES: Schedule = {
  name: 'aggregates',
  scene: true,
  seeds: 3,
  run: async (seed) => {
    if (seed === 2) return checkFanOut();
    if (seed === 3) return checkTooMany();
    const world = makeWorld();
    const { report } = await makeConsume(world, program)(
      {
        Records: AGGREGATE_CASES.map(({ bytes }, index) => record({ sequence: index + 1, bytes })),
      },
      invocation(world),
    );
    const events = world.events.items().filter(({ sk }) => sk === 'event');
    const places = events.map(({ pk, p }) => [pk.split(' ')[1], p]);
    const expected = AGGREGATE_CASES.flatMap(({ expected: ids }, index) =>
      typeof ids === 'string'
        ? []
        : Object.entries(ids).map(([id, at]) => [id, placeOf(index + 1, at)]),
    );
    const refused = world.quarantineIndex.items().map(({ sk, r }) => [Number(sk.split(':')[1]), r]);
    const wrong = AGGREGATE_CASES.flatMap(({ expected: reason }, index) =>
      typeof reason === 'string' ? [[index + 1, reason]] : [],
    );
    return [
      ...differs('accepted', places.sort(), expected.sort()),
      // One of a good aggregate's is broken itself.
      ...differs('refused', refused.sort(), [...wrong, [8, 'not-decodable']].sort()),
      ...differs('received', report.received, expected.length + wrong.length + 1),
    ];
  },
};

function placeOf(sequence: number, index: number): string {
  return `0.${sequence.toString(36)}${index === 0 ? '' : `.${index}`}`;
}

/** With enhanced fan-out the inner records come apart, each under the number of the outer one. */
async function checkFanOut(): Promise<readonly string[]> {
  const world = makeWorld();
  const ids = ['a', 'b', 'c', 'd'];
  const numbers = [1, 1, 1, 2];
  const Records = ids.map((id, index) =>
    record({ sequence: numbers[index] ?? 0, bytes: innerEvent(id) }),
  );
  const { report } = await makeConsume(world, program)({ Records }, invocation(world));
  const events = world.events.items().filter(({ sk }) => sk === 'event');
  return [
    ...differs('accepted', report.accepted, 4),
    ...differs('places', events.map(({ p }) => p).sort(), ['0.1', '0.1.1', '0.1.2', '0.2']),
  ];
}

/** So many that they are not taken apart: memory is bounded. */
async function checkTooMany(): Promise<readonly string[]> {
  const empty = [
    ...own,
    ...Array.from({ length: 100_001 }, () => field(3, [...field(1, 0), ...field(3, [])])).flat(),
  ];
  const world = makeWorld();
  const Records = [record({ sequence: 1, bytes: packed(empty) })];
  const { report } = await makeConsume(world, program)({ Records }, invocation(world));
  return differs('received', [report.received, report.quarantined], [1, 1]);
}
