import type { ArchivedRecord } from '../core/archive-object.ts';
import type { ArchiveTail } from '../core/archive-tail.ts';
import { shardId } from '../core/position.ts';
import type { KinesisBatch } from './kinesis-batch.ts';

/** Records and bytes of a batch at most: as large as Lambda makes them. */
export const BATCH_RECORDS = 2_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/** Records on their way into a batch. */
export class RecordBatch {
  readonly #recordsMax: number;
  #records: ArchivedRecord[] = [];
  #bytes = 0;

  constructor(recordsMax: number) {
    this.#recordsMax = recordsMax;
  }

  add(record: ArchivedRecord): void {
    this.#records.push(record);
    this.#bytes += record.bytes.length;
  }

  get isFull(): boolean {
    return this.#records.length >= this.#recordsMax || this.#bytes >= BATCH_BYTES;
  }

  take(): readonly ArchivedRecord[] {
    const taken = this.#records;
    [this.#records, this.#bytes] = [[], 0];
    return taken;
  }
}

/** Records as Lambda would hand them over. */
export function kinesisBatch(
  { shard }: ArchiveTail,
  records: readonly ArchivedRecord[],
): KinesisBatch {
  return {
    Records: records.map(({ sequence, partitionKey, arrivalMs, bytes }) => ({
      eventID: `${shardId(shard)}:${sequence}`,
      kinesis: {
        partitionKey,
        sequenceNumber: sequence,
        data: Buffer.from(bytes).toString('base64'),
        approximateArrivalTimestamp: arrivalMs / 1000,
      },
    })),
  };
}
