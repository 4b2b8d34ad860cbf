import {
  CLOSING_THROUGH,
  decodeRequest,
  encodeRequest,
  REVISION_REQUESTS,
} from '../../src/core/closing.ts';
import type { ConditionalWrite, Item, Table, WriteResult } from '../../src/ports/table.ts';
import type { ClosingPorts } from './faulty-ports.ts';

/** Makes a closer or consumer wrong: what it asks of the world is not what is done. */
export type Plant = (ports: ClosingPorts, role: 'closer' | 'consumer') => ClosingPorts;

const WRITTEN: WriteResult = { status: 'written' };
const isHeader = ({ pk, sk }: Item) => pk.includes('|final|') && sk.endsWith('~');

/** Writes that are claimed to be done, and are not. */
function claim(table: Table, is: (item: Item) => boolean): Table {
  const through = async <Input>(
    inputs: readonly Input[],
    itemOf: (input: Input) => Item,
    put: (inputs: readonly Input[]) => Promise<readonly WriteResult[]>,
  ) => {
    const real = inputs.filter((input) => !is(itemOf(input)));
    const results = real.length === 0 ? [] : await put(real);
    return inputs.map((input) => results[real.indexOf(input)] ?? WRITTEN);
  };
  return {
    ...table,
    putIf: (writes, options) =>
      through(
        writes,
        ({ item }: ConditionalWrite) => item,
        (some) => table.putIf(some, options),
      ),
    putAll: (items, options) =>
      through(
        items,
        (item: Item) => item,
        (some) => table.putAll(some, options),
      ),
  };
}

/** Bugs that the checkers have to find, by what was left out or turned round. */
export const PLANTED: Readonly<Record<string, Plant>> = {
  'no marker for a writer that is not waited for': (ports, role) => ({
    ...ports,
    ledger: role === 'closer' ? claim(ports.ledger, () => true) : ports.ledger,
  }),
  'no note of how far windows are being closed': (ports, role) => ({
    ...ports,
    aggregates:
      role === 'closer'
        ? claim(ports.aggregates, ({ pk, sk }) => pk === CLOSING_THROUGH.pk && sk === '*')
        : ports.aggregates,
  }),
  'no request for a window that was closed without the writer': (ports) => ({
    ...ports,
    aggregates: claim(ports.aggregates, ({ pk, s }) => pk === REVISION_REQUESTS && s === 'open'),
  }),
  'requests done when they are read, whether the window is closed or not': (ports) => ({
    ...ports,
    aggregates: {
      ...ports.aggregates,
      query: async (query, options) => {
        const page = await ports.aggregates.query(query, options);
        if (query.pk !== REVISION_REQUESTS) return page;
        const done = page.items.flatMap((item) => {
          const request = decodeRequest(item);
          return request === undefined ? [] : [encodeRequest(request, 'done', Number(item.ttl))];
        });
        await ports.aggregates.putAll(done, options);
        return page;
      },
    },
  }),
  'published before it is stored': (ports) => {
    const held = new Map<string, Item>();
    return {
      ...ports,
      aggregates: {
        ...ports.aggregates,
        putIf: async (writes, options) => {
          const [first] = writes;
          if (first === undefined || !isHeader(first.item)) {
            return ports.aggregates.putIf(writes, options);
          }
          if (first.item.s === 'closing') {
            held.set(first.item.sk, first.item);
            return [WRITTEN];
          }
          const late = held.get(first.item.sk);
          if (late === undefined) return ports.aggregates.putIf(writes, options);
          const condition = { type: 'absent' } as const;
          return ports.aggregates.putIf([{ item: first.item, condition }], options);
        },
      },
    };
  },
  'marked as published before it is': (ports) => {
    let held: Parameters<ClosingPorts['publisher']['publish']>[0] = [];
    return {
      ...ports,
      publisher: {
        publish: async (events) => {
          held = events;
          return events.map(() => WRITTEN);
        },
      },
      aggregates: {
        ...ports.aggregates,
        putIf: async (writes, options) => {
          const results = await ports.aggregates.putIf(writes, options);
          if (writes.some(({ item }) => isHeader(item) && item.s === 'closed')) {
            await ports.publisher.publish(held, options);
          }
          return results;
        },
      },
    };
  },
};
