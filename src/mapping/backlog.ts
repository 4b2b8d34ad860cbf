import { type Batch, batchLength, isFull, type MappingRecord } from './batch.ts';

/**
 * What waits in a lane: batches to be sent again, then records that were never sent. Always in the order of
 * sequence numbers.
 */
export class Backlog<Payload> {
  #queue: MappingRecord<Payload>[] = [];
  /** Batches to be sent again, the next one last. */
  readonly #again: Batch<Payload>[] = [];

  /** Records that wait. */
  get length(): number {
    const again = this.#again.reduce((sum, { records }) => sum + records.length, 0);
    return this.#queue.length + again;
  }

  /** The first record that waits. */
  get first(): MappingRecord<Payload> | undefined {
    return this.#again.at(-1)?.records[0] ?? this.#queue[0];
  }

  /** True when a batch waits to be sent again. */
  get hasFailed(): boolean {
    return this.#again.length > 0;
  }

  add(record: MappingRecord<Payload>): void {
    this.#queue.push(record);
  }

  /** Puts a batch before everything else. */
  putBack(batch: Batch<Payload>): void {
    this.#again.push(batch);
  }

  takeFailed(): Batch<Payload> | undefined {
    return this.#again.pop();
  }

  /** True when the next batch of new records is as large as it can get. */
  isFull(batchSize: number): boolean {
    return isFull(this.#queue, batchSize);
  }

  /** The next batch of new records. */
  takeNew(batchSize: number): Batch<Payload> | undefined {
    if (this.#queue.length === 0) return undefined;
    return { records: this.#queue.splice(0, batchLength(this.#queue, batchSize)), attempts: 0 };
  }

  /** Takes out the records at the start that arrived before a time, batch by batch. */
  takeBefore(arrivalMs: number): Batch<Payload>[] {
    const taken: Batch<Payload>[] = [];
    for (let batch = this.#again.pop(); batch !== undefined; batch = this.#again.pop()) {
      const count = countBefore(batch.records, arrivalMs);
      if (count > 0) taken.push({ ...batch, records: batch.records.slice(0, count) });
      if (count === batch.records.length) continue;
      this.#again.push(count === 0 ? batch : { ...batch, records: batch.records.slice(count) });
      return taken;
    }
    const count = countBefore(this.#queue, arrivalMs);
    if (count > 0) taken.push({ records: this.#queue.splice(0, count), attempts: 0 });
    return taken;
  }
}

function countBefore(records: readonly MappingRecord[], arrivalMs: number): number {
  const live = records.findIndex((record) => record.arrivalMs >= arrivalMs);
  return live < 0 ? records.length : live;
}
