import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import type { AnyPipeline } from '../../../src/core/pipeline/types.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { type Case, SHAPE_BATCHES, shapesPipeline } from './shape-cases.ts';
import { differs, outside } from './stored/facts.ts';

const OBJECT_BYTES_MAX = 8 * 1024 * 1024;
/** A document of these cases has fewer bytes. */
const LARGEST_BYTES = 1_300_000;

/** Events at every limit and of every odd shape: each ends where it has to, and stops no other. */
export const SHAPES: Schedule = {
  name: 'shapes',
  scene: true,
  seeds: SHAPE_BATCHES.length + 1,
  run: async (seed) => {
    const batch = SHAPE_BATCHES[seed % (SHAPE_BATCHES.length + 1)];
    if (batch === undefined) {
      return [...(await checkEmpty()), ...(await checkOrder()), ...(await checkSecondObject())];
    }
    const { pipeline, cases: all } = batch;
    const world = makeWorld();
    const consume = makeConsume(world, compile(pipeline));
    const { report, response } = await consume(
      {
        Records: all.map(({ bytes, partitionKey, arrivalMs }, index) =>
          record({ sequence: index + 1, bytes, partitionKey, arrivalMs }),
        ),
      },
      invocation(world, 600_000),
    );
    const accepted = all.filter(({ expected }) => expected === 'accepted').length;
    return [
      ...differs('answer', response, { batchItemFailures: [] }),
      ...differs('accepted', report.accepted, accepted),
      ...differs(
        'repeats',
        report.duplicates,
        all.filter(({ expected }) => expected === 'repeat').length,
      ),
      ...all.flatMap((one, index) => checkCase(world, one, index)),
      ...checkNames(world, pipeline, all),
      ...checkObjects(world),
    ];
  },
};

/** The documents of a batch stand in as few objects as hold them. */
function checkObjects({ quarantine }: World): readonly string[] {
  const writers = Map.groupBy(quarantine.objects, ([key]) => key.split('/')[3]);
  return [...writers.values()].flatMap((objects) => {
    const sizes = objects.map(([, { length }]) => length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const most = Math.max(1, Math.ceil(bytes / (OBJECT_BYTES_MAX - LARGEST_BYTES)));
    return [
      ...sizes.flatMap((size) => outside('object', size, [1, OBJECT_BYTES_MAX + 10_000])),
      ...outside('objects', sizes.length, [1, most]),
    ];
  });
}

/** Records that come in no order are taken in the order of their positions. */
async function checkOrder(): Promise<readonly string[]> {
  const world = makeWorld();
  const data = { key: 'k', at: NOON_MS, label: 'a', amount: 1 };
  const Records = [3, 1, 10, 2].map((sequence) => record({ sequence, data }));
  await makeConsume(world, compile(shapesPipeline))({ Records }, invocation(world));
  const again = await makeConsume(world, compile(shapesPipeline))({ Records }, invocation(world));
  const entry = world.ledger.items().find(({ sk }) => sk.startsWith('e#'));
  return differs('order', [entry?.p, again.report.repeated], ['0:10:0', 4]);
}

/** The second object of a batch's quarantine is refused: what stands in the first is done. */
async function checkSecondObject(): Promise<readonly string[]> {
  const world = makeWorld();
  const bytes = Buffer.alloc(900_000, '{');
  const Records = Array.from({ length: 15 }, (_, index) => record({ sequence: index + 1, bytes }));
  const put: World['quarantine']['put'] = async (key, body, type, options) => {
    if (world.quarantine.objects.size > 0) throw new TransientError('refused');
    return world.quarantine.put(key, body, type, options);
  };
  const ports = { ...world, quarantine: { ...world.quarantine, put } };
  const { response, report } = await makeConsume(ports, compile(shapesPipeline))(
    { Records },
    invocation(world),
  );
  const done = world.quarantineIndex.items().length;
  const first = { itemIdentifier: String(done + 1) };
  return [
    ...outside('in the first object', done, [5, 10]),
    ...differs('second object', [report.quarantined, report.unfinished], [done, 15 - done]),
    ...differs('second object: answer', response.batchItemFailures, [first]),
  ];
}

/** Nothing is asked for nothing. */
async function checkEmpty(): Promise<readonly string[]> {
  const world = makeWorld();
  let asked = 0;
  const identify: World['stream']['identify'] = (options) => {
    asked += 1;
    return world.stream.identify(options);
  };
  const ports = { ...world, stream: { ...world.stream, identify } };
  const consume = makeConsume(ports, compile(shapesPipeline));
  const { response, report } = await consume({ Records: [] }, invocation(world));
  const { requests } = world.ledger.usage;
  return differs(
    'empty batch',
    [response, report.received, requests, asked],
    [{ batchItemFailures: [] }, 0, 0, 0],
  );
}

function checkCase(
  world: World,
  { expected, tells, bytes }: Case,
  index: number,
): readonly string[] {
  const where = `case ${index} ${Buffer.from(bytes).toString().slice(0, 120)}`;
  const items = world.quarantineIndex.items();
  const item = items.find(({ sk }) => Number(sk.split(':')[1]) === index + 1);
  if (typeof expected === 'string') return differs(where, item?.r, undefined);
  if (item === undefined) return [`${where}: is not in quarantine`];
  const object = Buffer.from(world.quarantine.objects.get(String(item.o)) ?? []).toString();
  const document = JSON.parse(object.split('\n')[Number(item.l)] || '{}');
  const { reason, stage, issues: found, eventTime, source, id } = document;
  const messages: string[] = found.map(({ message }: { message: string }) => message);
  return [
    ...differs(where, [reason, stage, found[0]?.path], expected),
    ...differs(
      `${where}: tells`,
      Object.entries({ eventTime, source, id })
        .filter(([, one]) => one !== undefined)
        .sort(),
      Object.entries(tells ?? {}).sort(),
    ),
    ...differs(
      `${where}: issues`,
      found.length === (messages.length > 1 ? 10 : 1) &&
        messages.every((one) => one.length <= 300 && one !== ''),
      true,
    ),
  ];
}

/** Events without an id are named by their place. */
function checkNames(
  world: World,
  { format }: AnyPipeline,
  all: readonly Case[],
): readonly string[] {
  if (format !== 'json') return [];
  const names = world.events
    .items()
    .filter(({ sk }) => sk === 'event')
    .map(({ pk }) => pk.replace(/^\S+\.p0 /, 'place '));
  const expected = all.flatMap(({ expected: one, bytes }, index) => {
    const { name } = JSON.parse(Buffer.from(bytes).toString());
    if (one !== 'accepted') return [];
    return [name === undefined ? `place 0:${index + 1}:0` : ` ${name}`];
  });
  return differs('names', names.sort(), expected.sort());
}
