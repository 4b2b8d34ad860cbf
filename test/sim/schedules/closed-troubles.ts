import { zstdDecompressSync } from 'node:zlib';
import { makeMemoryPublisher } from '../../../src/adapters/memory/publisher.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { makeClose } from '../../../src/handlers/close.ts';
import { invocation, NOON_MS } from '../../helpers/world.ts';
import { HOUR_MS, IDLE_MS, MINUTE_MS, program, type Sent, setUp } from './closed-world.ts';
import { itemsOf } from './observe.ts';
import { spoil } from './spoil.ts';
import { iso, rowHash } from './stored/closing.ts';
import { differs } from './stored/facts.ts';

/** What the closer does about trouble. */
export const CLOSED_TROUBLES: readonly (() => Promise<readonly string[]>)[] = [
  refused,
  large,
  unknown,
  nothing,
];

const isEntry = (input: unknown) => itemsOf(input).some(({ sk }) => String(sk).startsWith('e#'));
const isAt = (input: unknown, text: string) =>
  itemsOf(input).some(({ pk, sk }) => `${pk} ${sk}`.includes(text));

const isMark = (input: unknown) => JSON.stringify(input).includes('"value":"closing"');

/** Each request of the closer. */
const REQUESTS: Readonly<Record<string, (operation: string, input: unknown) => boolean>> = {
  identify: (operation) => operation === 'stream.identify',
  registry: (operation) => operation === 'ledger.query',
  marker: (operation, input) => operation === 'ledger.putIf' && isEntry(input),
  announced: (operation, input) => operation === 'aggregates.get' && isAt(input, '1|closed *'),
  announces: (operation, input) => operation === 'aggregates.putIf' && isAt(input, '1|closed *'),
  closed: (operation, input) => operation === 'aggregates.get' && isAt(input, '1|closed hours'),
  requests: (operation, input) => operation === 'aggregates.query' && isAt(input, '1|revise'),
  pages: (operation, input) => operation === 'aggregates.query' && isAt(input, '1|hours|'),
  revisions: (operation, input) => operation === 'aggregates.query' && isAt(input, '1|final|hours'),
  parts: (operation, input) => operation === 'aggregates.putAll' && isAt(input, '|0000'),
  header: (operation, input) =>
    operation === 'aggregates.putIf' && isAt(input, '|~') && !isMark(input),
  mark: (operation, input) => operation === 'aggregates.putIf' && isMark(input),
  publish: (operation) => operation === 'publish',
};

/** A request that is refused for a whole run: the run fails, and the next one publishes all the same, once. */
async function refused(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, isIt] of Object.entries(REQUESTS)) {
    for (const times of [2, 1_000]) {
      const { world, send, close, events, trouble } = setUp(NOON_MS + HOUR_MS);
      await send([5, 'SFO', 1]);
      world.clock.advance(IDLE_MS);
      await send([71, 'ATL']);
      let left = times;
      trouble.refuse = ({ operation, input }) => {
        if (!isIt(operation, input)) return false;
        left -= 1;
        return left >= 0;
      };
      const outcome = await close().then(
        () => 'done',
        (error: unknown) => error,
      );
      const isOver = times > 2;
      const failed = outcome instanceof TransientError && outcome.message === 'refused';
      trouble.refuse = () => false;
      await close();
      await close();
      const ids = events()
        .filter(({ window }) => window === 'hours')
        .map(({ id }) => id);
      // What could not be marked is published again, under the same id.
      const distinct = name === 'mark' ? [...new Set(ids)] : ids;
      found.push(
        ...differs(`${name} refused ${times} times: failed`, failed, isOver),
        ...differs(`${name}: published`, distinct, [
          `1.hours.${iso(NOON_MS)}.${rowHash(NOON_MS, ['SFO'])}.1`,
        ]),
        ...(left < times ? [] : [`${name}: was never asked`]),
      );
    }
  }
  return found;
}

/** More rows than an item holds, and more requests than a run takes up. */
async function large(): Promise<readonly string[]> {
  const { world, send, close, events, items } = setUp(NOON_MS + HOUR_MS);
  const many = Array.from({ length: 1_001 }, (_, index): Sent => [5, `P${index}`, 1]);
  await send(...many);
  world.clock.advance(IDLE_MS);
  await send([71, 'ATL']);
  await close();
  const parts = items('1|final|hours').filter(({ sk }) => !sk.endsWith('~'));
  const rows = parts.map(
    ({ d }) => JSON.parse(zstdDecompressSync(d as Uint8Array).toString()).length,
  );
  const header = items('1|final|hours').find(({ sk }) => sk.endsWith('~'));
  const requests = Array.from({ length: 205 }, (_, index) => ({
    pk: '1|revise',
    sk: `hours|${iso(NOON_MS - index * HOUR_MS)}|${[...new Set(world.ledger.items().flatMap(({ pk, sk }) => (pk === '1|registry' ? [sk] : [])))][0]}`,
    v: 1,
    p: '0.1',
    s: 'open',
    ttl: 2_000_000_000,
  }));
  await world.aggregates.putAll(requests, { deadlineMs: Number.POSITIVE_INFINITY });
  await close();
  const open = items('1|revise').filter(({ s }) => s === 'open').length;
  await close();
  return [
    ...differs(
      'published',
      new Set(events().flatMap(({ id, window }) => (window === 'hours' ? [id] : []))).size,
      1_001,
    ),
    ...differs('rows', rows, [1_000, 1]),
    ...differs('parts', header?.c, 2),
    ...differs('open', [open, items('1|revise').filter(({ s }) => s === 'open').length], [5, 0]),
  ];
}

/** A pipeline that closes nothing asks for nothing. */
async function nothing(): Promise<readonly string[]> {
  const { world } = setUp();
  let asked = 0;
  const ports = spoil(world, () => {
    asked += 1;
    return undefined;
  });
  const aggregates = program.aggregates.map((one) => ({ ...one, closes: false }));
  const publisher = makeMemoryPublisher();
  const close = makeClose({ ...ports, publisher }, { ...program, aggregates });
  const report = await close(invocation(world));
  const expected = { windows: 0, rows: 0, corrections: 0, forced: 0 };
  return differs('nothing', [report, asked], [expected, 0]);
}

/** Writers of a stream that is gone aren't waited for; one that has finished nothing yet is, for a while. */
async function unknown(): Promise<readonly string[]> {
  const { world, send, close, events, chain } = setUp(NOON_MS + 71 * MINUTE_MS);
  await send([5, 'ATL']);
  const [writer = ''] = world.ledger
    .items()
    .flatMap(({ pk, sk }) => (pk === '1|registry' ? [sk] : []));
  const listed = (name: string) => ({ pk: '1|registry', sk: name, v: 1, t: world.clock.now() });
  const forever = { deadlineMs: Number.POSITIVE_INFINITY };
  await world.ledger.putAll([listed('gone-00000000.p1')], forever);
  await send([75, 'ATL']);
  const alone = await close();
  await world.ledger.putAll([listed(writer.replace('.p0', '.p2'))], forever);
  await send([76, 'ATL']);
  const waits = await close();
  world.clock.advance(IDLE_MS);
  const told = await close();
  const [marker] = chain('p2');
  const { t: _t, ttl: _ttl, f, ...rest }: Readonly<Record<string, unknown>> = marker ?? {};
  return [
    ...differs('alone', [alone.throughMs, alone.windows], [NOON_MS + 75 * MINUTE_MS, 2]),
    ...differs('waits', [waits.throughMs, waits.windows], [undefined, 0]),
    ...differs('told', [told.forced, told.throughMs], [1, NOON_MS + 71 * MINUTE_MS]),
    ...differs(
      'marker',
      Object.entries(rest).sort(),
      Object.entries({
        pk: marker?.pk,
        sk: 'e#000000000001',
        v: 1,
        a: 0,
        c: NOON_MS + 75 * MINUTE_MS,
      }).sort(),
    ),
    // No version has decided on anything of it.
    ...differs('fingerprint', f, ''),
    ...differs(
      'published',
      events()
        .map(({ window }) => window)
        .sort(),
      ['hours', 'runs'],
    ),
  ];
}
