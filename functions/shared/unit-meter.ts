/** Units that a table billed. */
export interface TableUnits {
  read: number;
  write: number;
}

/** What an answer of DynamoDB says of one table. */
interface Consumed {
  readonly TableName?: string | undefined;
  readonly CapacityUnits?: number | undefined;
}

/** Operations that read; every other one writes. */
const READS = /^(Query|BatchGetItem)$/;

/**
 * Adds up the units that DynamoDB bills, as its answers say: what a batch costs stands in its log line.
 * Requests that are refused say nothing, though a failed condition is billed too.
 */
export class UnitMeter {
  readonly #tables = new Map<string, TableUnits>();

  /** Notes what an answer says: one table or a list of them, or nothing. */
  note(consumed: unknown, operation: string): void {
    for (const { TableName: table = '', CapacityUnits = 0 } of [
      consumed ?? [],
    ].flat() as Consumed[]) {
      const units = this.#tables.get(table) ?? { read: 0, write: 0 };
      units[READS.test(operation) ? 'read' : 'write'] += CapacityUnits;
      this.#tables.set(table, units);
    }
  }

  /** Units by table since they were last taken. */
  take(): Readonly<Record<string, TableUnits>> {
    const taken = Object.fromEntries(this.#tables);
    this.#tables.clear();
    return taken;
  }
}
