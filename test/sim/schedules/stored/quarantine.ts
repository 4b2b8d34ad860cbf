import type { Item } from '../../../../src/ports/table.ts';
import { attributes, differs, type Fact, type Facts, outside, positionOf } from './facts.ts';

/** Where each reason is found, and the path that its first issue names, in the small pipeline. */
const PLACES: Readonly<Record<string, readonly [stage: string, path: string]>> = {
  'not-decodable': ['decode', ''],
  schema: ['validate', 'place'],
  transform: ['transform', ''],
  future: ['time', ''],
  late: ['plan', ''],
  'id-conflict': ['deduplicate', 'id'],
};

/** Each refused record: its index item, and its line in the object that the item names. */
export function checkStoredQuarantine(facts: Facts): readonly string[] {
  const items = facts.result.world.quarantineIndex.items();
  const refused = [...facts.lanes.values()].flat().filter((one) => one.verdict in PLACES);
  const found = differs('quarantine: items', items.length, refused.length);
  return [
    ...found,
    ...refused.flatMap((record) => {
      const sk = sortableOf(record);
      const pk = `${facts.epoch}.${record.lane}`;
      const item = items.find((one) => one.pk === pk && one.sk === sk);
      return item === undefined
        ? [`quarantine: record ${record.sequence} is missing`]
        : checkItem(facts, item, record);
    }),
  ];
}

function sortableOf({ shard, sequence, index }: Fact): string {
  const numbers = [String(shard).padStart(12, '0'), sequence.padStart(128, '0')];
  return [...numbers, String(index).padStart(9, '0')].join(':');
}

function checkItem(facts: Facts, item: Item, record: Fact): readonly string[] {
  const where = `quarantine ${record.lane} ${record.sequence}`;
  const [stage = '', path = ''] = PLACES[record.verdict] ?? [];
  const { v, r, g, m, a, i } = item;
  const keptMs = facts.program.settings.retention.quarantineMs;
  return [
    ...attributes(where, item, ['pk', 'sk', 'v', 'o', 'l', 'r', 'g', 'm', 'a', 'i', 'ttl']),
    ...differs(
      where,
      { v, r, g, m, a, i },
      { v: 1, r: record.verdict, g: stage, m: path, a: record.arrivalMs, i: record.id },
    ),
    ...outside(`${where}: ttl`, Number(item.ttl) * 1000, [
      record.arrivalMs + keptMs,
      facts.endMs + keptMs + 1_000,
    ]),
    ...checkDocument(facts, { where, item, record, stage }),
  ];
}

interface Case {
  readonly where: string;
  readonly item: Item;
  readonly record: Fact;
  readonly stage: string;
}

function checkDocument(facts: Facts, { where, item, record, stage }: Case): readonly string[] {
  const object = Buffer.from(facts.result.world.quarantine.objects.get(String(item.o)) ?? []);
  const lines = object.toString().split('\n');
  const document = JSON.parse(lines[Number(item.l)] || '{}');
  const { source, id, data, arrivalMs } = record;
  const isRead = record.verdict !== 'not-decodable';
  const hasTime = isRead && record.verdict !== 'schema';
  const arrival = new Date(arrivalMs).toISOString();
  return [
    ...differs(`${where}: object ends`, lines.at(-1), ''),
    ...differs(
      `${where}: object`,
      String(item.o).startsWith(`quarantine/${facts.program.name}/2026-11-2`),
      true,
    ),
    ...differs(
      where,
      [document.issues?.length > 0, /^r-\d+$/.test(document.requestId)],
      [true, true],
    ),
    ...differs(
      `${where}: document`,
      { ...document, issues: undefined, requestId: undefined },
      {
        v: 1,
        pipeline: facts.program.name,
        fingerprint: facts.program.fingerprintAt(arrivalMs),
        reason: record.verdict,
        stage,
        writer: `${facts.epoch}.${record.lane}`,
        position: positionOf(record),
        partitionKey: record.partitionKey,
        arrival,
        ...(hasTime ? { eventTime: new Date(Number(data.at)).toISOString() } : {}),
        ...(isRead ? { source, id } : {}),
        bytes: Buffer.from(record.bytes).toString('base64'),
      },
    ),
  ];
}
