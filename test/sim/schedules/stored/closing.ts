import { zstdDecompressSync } from 'node:zlib';
import type { Item } from '../../../../src/ports/table.ts';
import type { ClosingResult } from '../../../helpers/closing-simulation.ts';
import { attributes, differs } from './facts.ts';
import { sipHash24 } from './hashes.ts';

const KEY = Buffer.from('millrace close 1');

/** A time as keys and events have it. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The hash in an event's id: of the row's start and group. */
export function rowHash(startMs: number, group: readonly unknown[]): string {
  const hash = sipHash24(KEY, Buffer.from(`${startMs} ${JSON.stringify(group)}`));
  return hash.toString(16).padStart(16, '0');
}

/** The token of a revision: twelve characters of the halves of a hash over its rows. */
export function tokenOf(texts: readonly string[]): string {
  const hash = sipHash24(KEY, Buffer.from(texts.join('\n')));
  const halves = [hash >> 32n, hash & 0xffff_ffffn].map((half) => half.toString(36));
  return halves.join('').slice(0, 12);
}

/** Windows whose groups are one place: every stored revision is whole, closed, and was published as it stands. */
export function checkClosed({ aggregates, events }: ClosingResult): readonly string[] {
  const revisions = aggregates.filter(
    ({ pk, sk }) => pk.startsWith('1|final|') && sk.endsWith('|~'),
  );
  const due = revisions.flatMap((header) => eventsOf(header, aggregates));
  const told = [...new Map(events.map((event) => [event.id, JSON.stringify(event)])).values()];
  return [
    ...revisions.flatMap(checkHeader),
    ...differs('published', told.sort(), due.map((event) => JSON.stringify(event)).sort()),
    ...checkRequests(aggregates),
    ...checkThrough(aggregates),
  ];
}

function checkHeader({ ttl: _ttl, ...header }: Item): readonly string[] {
  const [start, number] = header.sk.split('|');
  const where = `revision ${header.pk} ${header.sk}`;
  return [
    ...attributes(where, header, ['pk', 'sk', 'v', 'n', 's', 'c', 'k']),
    ...differs(where, [header.v, header.s, header.c], [1, 'closed', 1]),
    ...differs(
      `${where}: key`,
      [start, number],
      [iso(Date.parse(start ?? '')), String(header.n).padStart(6, '0')],
    ),
  ];
}

interface StoredRow {
  readonly group: readonly unknown[];
  readonly startMs: number;
  readonly endMs: number;
  readonly columns?: object;
  readonly replaces: number;
}

/** What a revision has to say, in the form in which it is published. */
function eventsOf({ pk, sk, n, k, ttl }: Item, items: readonly Item[]): readonly object[] {
  const [, , window] = pk.split('|');
  const [start = ''] = sk.split('|');
  const part = items.find((one) => one.pk === pk && one.sk === sk.replace('~', `${k}|00000`));
  if (part === undefined) return [{ missing: `${pk} ${sk}` }];
  const text = zstdDecompressSync(part.d as Uint8Array).toString();
  const rows: readonly StoredRow[] = JSON.parse(text);
  const wrong = [...differs('token', k, tokenOf([text])), ...differs('format', part.v, 1)];
  const dies = Math.max(...rows.map(({ endMs }) => endMs)) / 1000;
  if (wrong.length > 0 || !(Number(ttl) > dies) || !(Number(part.ttl) > dies)) {
    return [{ wrong: [sk, ...wrong, ttl, part.ttl] }];
  }
  return rows.map(({ group, startMs, endMs, columns, replaces }) => ({
    id: `1.${window}.${start}.${rowHash(startMs, group)}.${n}`,
    type: `window.${columns === undefined ? 'withdrawn' : replaces > 0 ? 'corrected' : 'closed'}`,
    window,
    start: iso(startMs),
    end: iso(endMs),
    group: { place: group[0] },
    result: columns ?? null,
    revision: n,
    replaces,
  }));
}

/** Requests to look at closed windows again are answered in the end. */
function checkRequests(items: readonly Item[]): readonly string[] {
  return items
    .filter(({ pk }) => pk === '1|revise')
    .flatMap((item) => {
      const [, start] = item.sk.split('|');
      return [
        ...attributes(`request ${item.sk}`, item, ['pk', 'sk', 'v', 'p', 's', 'ttl']),
        ...differs(`request ${item.sk}`, [item.v, item.s], [1, 'done']),
        ...differs(`request ${item.sk}: window`, start, iso(Date.parse(start ?? ''))),
      ];
    });
}

/** Each window is closed as far as closing was begun, once nothing goes wrong any more. */
function checkThrough(items: readonly Item[]): readonly string[] {
  const through = items.filter(({ pk }) => pk === '1|closed');
  const begun = through.find(({ sk }) => sk === '*');
  return through.flatMap((item) => [
    ...attributes(`closed ${item.sk}`, item, ['pk', 'sk', 'v', 't']),
    ...differs(`closed ${item.sk}`, [item.v, item.t], [1, begun?.t]),
  ]);
}
