import { TAIL_PREFIX } from '../core/archive-tail.ts';
import { ATTEMPT_KEY } from '../core/attempt.ts';
import { CLOSING_THROUGH, REVISION_REQUESTS } from '../core/closing.ts';
import { ENTRIES } from '../core/ledger.ts';
import { REGISTRY_KEY } from '../core/registry.ts';
import { VERSIONS_KEY } from '../core/version.ts';
import type { Item, ItemKey, TableQuery } from '../ports/table.ts';
import { cellNames, isPage, writerOfCells } from './stored-items.ts';
import type { TracePlaces } from './trace.ts';
import type { TableName } from './weather.ts';

/**
 * Names the awaits of the protocol by what they are for: one table's `get` is several of them, and
 * each has to stand each fault.
 */

/** What a read or write of these keys is for, such as `ledger.putIf entry`. */
export function stepOf(
  table: TableName,
  operation: 'get' | 'putIf' | 'putAll',
  keys: readonly ItemKey[],
): string {
  const step = `${table}.${operation}`;
  if (table === 'ledger') return `${step} ${partOf(keys[0])}`;
  return table === 'aggregates' ? `${step}${closingPart(keys[0])}` : step;
}

/** What a query is for, such as `ledger.query chain`. */
export function stepOfQuery(table: TableName, query: TableQuery): string {
  const step = `${table}.query`;
  if (table === 'aggregates') return `${step}${closingPart(query)}`;
  if (table !== 'ledger') return step;
  if (query.pk === REGISTRY_KEY) return `${step} registry`;
  return `${step} ${query.descending === true ? 'chain' : 'newer'}`;
}

/** What is not a page is about closed windows. */
function closingPart(key: Pick<ItemKey, 'pk'> | undefined): string {
  if (key === undefined || isPage(key)) return '';
  if (key.pk === REVISION_REQUESTS) return ' request';
  return key.pk === CLOSING_THROUGH.pk ? ' closed through' : ' revision';
}

function partOf(key: ItemKey | undefined): string {
  if (key === undefined) return '';
  if (key.sk.startsWith(ENTRIES)) return 'entry';
  if (key.sk === ATTEMPT_KEY) return phaseOf(key);
  if (key.pk.startsWith(TAIL_PREFIX)) return 'tail';
  if (key.pk === VERSIONS_KEY.pk) return 'versions';
  return key.pk === REGISTRY_KEY ? 'registry' : key.pk;
}

/** An attempt is noted twice: before the computation, and before the writes. */
function phaseOf(key: ItemKey): string {
  const phase: unknown = Reflect.get(key, 'h');
  return typeof phase === 'string' ? `attempt ${phase}` : 'attempt';
}

/** Which writers and cells a request concerns. */
export function placesOf(table: TableName, items: readonly (ItemKey | Item)[]): TracePlaces {
  if (table === 'aggregates') {
    return {
      cells: items.flatMap(cellNames),
      writers: [...new Set(items.filter(isPage).map((item) => lane(writerOfCells(item))))],
    };
  }
  const writers = items.flatMap(writerIn);
  return { writers: [...new Set(writers)] };
}

/** The lane in the key, such as `p0`; an event that is kept on its own has its writer beside its name. */
function writerIn(item: ItemKey | Item): readonly string[] {
  const writer: unknown = Reflect.get(item, 'w');
  const name = typeof writer === 'string' ? writer : item.pk;
  return /\.(p|s|stray)\d+(\||$)/.test(name) ? [lane(name)] : [];
}

/** `p0` of `1|t4x9k2-1f3a9c0d.p0` and of `t4x9k2-1f3a9c0d.p0|t`. */
function lane(pk: string): string {
  return pk.slice(pk.lastIndexOf('.') + 1).split('|')[0] ?? '';
}
