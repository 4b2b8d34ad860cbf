import type { MappingRecord } from '../../src/mapping/batch.ts';

/** Records 1 to count of one partition key, each of 100 bytes, that arrived at time 0. */
export function mappingRecords(count: number, over: Partial<MappingRecord> = {}): MappingRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: String(index + 1),
    partitionKey: 'p-0',
    arrivalMs: 0,
    sizeBytes: 100,
    payload: undefined,
    ...over,
  }));
}

/** The sequence numbers of records, to compare. */
export function sequencesOf(records: readonly MappingRecord[]): string[] {
  return records.map(({ sequence }) => sequence);
}
