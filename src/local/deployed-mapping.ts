import { GetEventSourceMappingCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { InvariantError } from '../core/errors.ts';
import { type MappingSettings, mappingSettings } from '../mapping/settings.ts';

/** An event source mapping as it was deployed. */
export interface DeployedMapping {
  readonly id: string;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly region: string;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  readonly settings: MappingSettings;
}

/** Reads what was deployed, so that a local run has the settings of the stack and no others. */
export async function readMapping(lambda: LambdaClient, id: string): Promise<DeployedMapping> {
  const found = await lambda.send(new GetEventSourceMappingCommand({ UUID: id }));
  const { FunctionArn: functionArn, EventSourceArn: streamArn } = found;
  if (functionArn === undefined || streamArn === undefined) {
    throw new InvariantError(`mapping ${id}: got no function or no stream, expected both`);
  }
  const seconds = found.MaximumRecordAgeInSeconds ?? -1;
  return {
    id,
    functionArn,
    streamArn,
    region: streamArn.split(':')[3] ?? '',
    startingPosition: found.StartingPosition === 'LATEST' ? 'LATEST' : 'TRIM_HORIZON',
    settings: mappingSettings({
      batchSize: found.BatchSize ?? 100,
      windowMs: (found.MaximumBatchingWindowInSeconds ?? 0) * 1000,
      parallelization: found.ParallelizationFactor ?? 1,
      bisect: found.BisectBatchOnFunctionError ?? false,
      reportsFailures: found.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
      retriesMax: found.MaximumRetryAttempts ?? -1,
      recordAgeMaxMs: seconds < 0 ? -1 : seconds * 1000,
    }),
  };
}
