import type { MemoryTable } from '../adapters/memory/table.ts';
import { TransientError } from '../core/errors.ts';
import type {
  Item,
  ItemKey,
  Page,
  ReadResult,
  SendOptions,
  Table,
  TableQuery,
  WriteResult,
} from '../ports/table.ts';
import type { VirtualClock } from './clock.ts';
import type { Run, Send } from './container.ts';
import type { Dice } from './dice.ts';
import { LATE_MS } from './faults.ts';
import { placesOf, stepOf, stepOfQuery } from './steps.ts';
import type { TableName, Weather } from './weather.ts';

/** An item that was written, and by which run. */
export interface Written {
  readonly table: TableName;
  readonly item: Item;
  readonly run: Run | undefined;
}

/** What a table is reached through. */
export interface TablePath {
  readonly send: Send;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly onWritten: (written: Written) => void;
}

/** Items of one request: DynamoDB's limits. */
const KEYS_PER_GET = 100;
const ITEMS_PER_WRITE = 25;

const THROTTLING = 'throttling of its partition';

/** Writes and the calls that do them. */
interface Writing<Input> {
  readonly operation: 'putIf' | 'putAll';
  readonly itemOf: (input: Input) => Item;
  readonly put: (inputs: readonly Input[], options: SendOptions) => Promise<readonly WriteResult[]>;
}

/**
 * A table as a container sees it: calls are split into requests as DynamoDB limits them, and each item
 * of a request has luck of its own, as the items of a batch have.
 */
export function tableThrough(name: TableName, table: MemoryTable, path: TablePath): Table {
  const through = new TableThrough(name, table, path);
  return {
    get: (keys, options) => inRequests(keys, KEYS_PER_GET, (some) => through.get(some, options)),
    query: (query, options) => through.query(query, options),
    putIf: (writes, options) =>
      inRequests(writes, ITEMS_PER_WRITE, (some) =>
        through.write(
          { operation: 'putIf', itemOf: ({ item }) => item, put: table.putIf },
          some,
          options,
        ),
      ),
    putAll: (items, options) =>
      inRequests(items, ITEMS_PER_WRITE, (some) =>
        through.write(
          { operation: 'putAll', itemOf: (item) => item, put: table.putAll },
          some,
          options,
        ),
      ),
  };
}

class TableThrough {
  readonly #name: TableName;
  readonly #table: MemoryTable;
  readonly #path: TablePath;

  constructor(name: TableName, table: MemoryTable, path: TablePath) {
    this.#name = name;
    this.#table = table;
    this.#path = path;
  }

  get(keys: readonly ItemKey[], options: SendOptions): Promise<readonly ReadResult[]> {
    const step = stepOf(this.#name, 'get', keys);
    return this.#path.send<readonly ReadResult[]>(
      {
        step,
        size: keys.length,
        service: this.#name,
        encrypted: true,
        apply: () => this.#readAll(step, keys, options),
        refused: (error) => keys.map(() => ({ status: 'failed', error })),
        places: () => placesOf(this.#name, keys),
      },
      options,
    );
  }

  query(query: TableQuery, options: SendOptions): Promise<Page> {
    const step = stepOfQuery(this.#name, query);
    const key = { pk: query.pk, sk: query.prefix ?? '' };
    return this.#path.send(
      {
        step,
        size: 1,
        service: this.#name,
        encrypted: true,
        apply: async () => {
          if (!this.#takes('read', key, step)) raise(failed(step, THROTTLING).error);
          const units = this.#table.usage.readUnits;
          const pending = this.#table.query(query, options);
          this.#spend('read', [key], this.#table.usage.readUnits - units);
          return pending;
        },
        refused: raise,
        places: () => placesOf(this.#name, [key]),
      },
      options,
    );
  }

  write<Input>(
    writing: Writing<Input>,
    inputs: readonly Input[],
    options: SendOptions,
  ): Promise<readonly WriteResult[]> {
    const items = inputs.map(writing.itemOf);
    const step = stepOf(this.#name, writing.operation, items);
    return this.#path.send<readonly WriteResult[]>(
      {
        step,
        size: inputs.length,
        service: this.#name,
        encrypted: true,
        apply: (run) => this.#writeAll({ ...writing, step, run, options }, inputs),
        refused: (error) => inputs.map(() => ({ status: 'failed', error })),
        places: () => placesOf(this.#name, items),
      },
      options,
    );
  }

  async #readAll(
    step: string,
    keys: readonly ItemKey[],
    options: SendOptions,
  ): Promise<readonly ReadResult[]> {
    const open = keys.filter((key) => this.#takes('read', key, step));
    const units = this.#table.usage.readUnits;
    const pending = this.#table.get(open, options);
    this.#spend('read', open, this.#table.usage.readUnits - units);
    const results = await pending;
    const found = new Map(open.map((key, index) => [key, results[index]]));
    return keys.map((key) => found.get(key) ?? failed(step, THROTTLING));
  }

  /** Each item of a request has luck of its own. */
  async #writeAll<Input>(
    writing: Writing<Input> & InRun,
    inputs: readonly Input[],
  ): Promise<readonly WriteResult[]> {
    const { step, itemOf } = writing;
    const lucks = inputs.map((input) => this.#luckOf(step, itemOf(input)));
    for (const [index, input] of inputs.entries()) {
      if (lucks[index] === 'applyLate') this.#putLate(writing, input);
    }
    const applied = inputs.filter((_, index) => isApplied(lucks[index]));
    const results = await this.#put(writing, applied);
    return inputs.map((input, index) => {
      const luck = lucks[index];
      const result = results[applied.indexOf(input)];
      return luck === undefined && result !== undefined
        ? result
        : failed(step, luck ?? 'no answer');
    });
  }

  #luckOf(step: string, item: Item): Luck {
    if (!this.#takes('write', item, step)) return 'throttled';
    return this.#path.dice.oneOf(['refuse', 'loseAnswer', 'applyLate'], step);
  }

  #putLate<Input>(writing: Writing<Input> & InRun, input: Input): void {
    const { clock, dice } = this.#path;
    clock.at(clock.now() + dice.upTo(LATE_MS), () => this.#put(writing, [input]));
  }

  async #put<Input>(
    { put, options, itemOf, run }: Writing<Input> & InRun,
    inputs: readonly Input[],
  ): Promise<readonly WriteResult[]> {
    if (inputs.length === 0) return [];
    const units = this.#table.usage.writeUnits;
    const pending = put(inputs, options);
    const items = inputs.map(itemOf);
    this.#spend('write', items, this.#table.usage.writeUnits - units);
    const results = await pending;
    for (const [index, item] of items.entries()) {
      if (results[index]?.status !== 'written') continue;
      this.#path.onWritten({ table: this.#name, item, run });
    }
    return results;
  }

  #takes(kind: 'read' | 'write', { pk }: ItemKey, step: string): boolean {
    const { weather, dice, clock } = this.#path;
    if (weather.takes(this.#name, kind, pk, clock.now())) return true;
    dice.count('throttled item');
    dice.met('hotKey', step);
    return false;
  }

  /** Every partition of a request pays its share. */
  #spend(kind: 'read' | 'write', keys: readonly ItemKey[], units: number): void {
    for (const { pk } of keys) {
      this.#path.weather.spend(this.#name, kind, pk, units / keys.length);
    }
  }
}

type Luck = 'throttled' | 'refuse' | 'loseAnswer' | 'applyLate' | undefined;

interface InRun {
  readonly step: string;
  readonly run: Run | undefined;
  readonly options: SendOptions;
}

function isApplied(luck: Luck): boolean {
  return luck === undefined || luck === 'loseAnswer';
}

async function inRequests<Input, Result>(
  inputs: readonly Input[],
  size: number,
  send: (inputs: readonly Input[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  if (inputs.length <= size) return send(inputs);
  const starts = Array.from({ length: Math.ceil(inputs.length / size) }, (_, at) => at * size);
  const results = await Promise.all(starts.map((at) => send(inputs.slice(at, at + size))));
  return results.flat();
}

function failed(step: string, why: string): { status: 'failed'; error: Error } {
  return { status: 'failed', error: new TransientError(`${step}: simulated ${why}`) };
}

function raise(error: Error): never {
  throw error;
}
