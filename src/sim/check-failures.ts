import type { EndState } from './fates.ts';

/** As much of a failure document as is needed to bring its records back. */
interface FailurePayload {
  readonly Records: readonly {
    readonly eventID: string;
    readonly kinesis: {
      readonly data: string;
      readonly partitionKey: string;
      readonly sequenceNumber: string;
      readonly approximateArrivalTimestamp: number;
    };
  }[];
}

/**
 * What the mapping gave up is in the failure destination, with everything to bring it back: bytes,
 * shard, sequence number, arrival and partition key.
 */
export function checkFailures({ discards, world }: EndState): readonly string[] {
  const found = new Map<string, FailurePayload['Records'][number]>();
  for (const body of world.failures.objects.values()) {
    const { payload }: { payload: string } = JSON.parse(Buffer.from(body).toString());
    const { Records }: FailurePayload = JSON.parse(payload);
    for (const one of Records) found.set(one.eventID, one);
  }
  const records = discards.flatMap(({ batch, shard }) =>
    batch.records.map(({ payload }) => ({ record: payload.record, shard })),
  );
  return records.flatMap(({ record, shard }) => {
    const { kinesis } = found.get(`${shard}:${record.sequence}`) ?? {};
    const isWhole =
      kinesis?.data === Buffer.from(record.bytes).toString('base64') &&
      kinesis.partitionKey === record.partitionKey &&
      kinesis.sequenceNumber === record.sequence &&
      Math.round(kinesis.approximateArrivalTimestamp * 1000) === record.arrivalMs;
    const name = `${record.shard}:${record.sequence}`;
    return isWhole ? [] : [`record ${name}: given up, and not whole in the failure destination`];
  });
}
