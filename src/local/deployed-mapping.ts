import { GetEventSourceMappingCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { InvariantError } from '../core/errors.ts';
import { type MappingSettings, mappingSettings } from '../mapping/settings.ts';
import { checkStartingPosition, type StartingPosition } from '../mapping/starting-position.ts';

/** An event source mapping as it was deployed. */
export interface DeployedMapping {
  readonly id: string;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly region: string;
  readonly settings: MappingSettings;
}

/**
 * Reads what was deployed, so that a local run has the settings of the stack and no others.
 *
 * @throws MappingSettingsError on settings that AWS would refuse, though the local cloud took them
 */
export async function readMapping(lambda: LambdaClient, id: string): Promise<DeployedMapping> {
  const found = await lambda.send(new GetEventSourceMappingCommand({ UUID: id }));
  const { FunctionArn: functionArn, EventSourceArn: streamArn } = found;
  if (functionArn === undefined || streamArn === undefined) {
    throw new InvariantError(`mapping ${id}: got no function or no stream, expected both`);
  }
  const settings = settingsOf(found);
  checkStartingPosition(settings.startingPosition, Date.now());
  return {
    id,
    functionArn,
    streamArn,
    region: streamArn.split(':')[3] ?? '',
    settings,
  };
}

/** A mapping's settings under the names that templates and the API have for them. */
interface MappingProperties {
  readonly BatchSize?: number | undefined;
  readonly MaximumBatchingWindowInSeconds?: number | undefined;
  readonly ParallelizationFactor?: number | undefined;
  readonly BisectBatchOnFunctionError?: boolean | undefined;
  readonly FunctionResponseTypes?: readonly string[] | undefined;
  readonly MaximumRetryAttempts?: number | undefined;
  readonly MaximumRecordAgeInSeconds?: number | undefined;
  readonly StartingPosition?: string | undefined;
  /** A date from the API, seconds since 1970 UTC in a template. */
  readonly StartingPositionTimestamp?: Date | number | undefined;
  readonly FilterCriteria?:
    | { readonly Filters?: readonly { readonly Pattern?: string | undefined }[] | undefined }
    | undefined;
}

function settingsOf(found: MappingProperties): MappingSettings {
  const seconds = found.MaximumRecordAgeInSeconds ?? -1;
  return mappingSettings({
    batchSize: found.BatchSize ?? 100,
    windowMs: (found.MaximumBatchingWindowInSeconds ?? 0) * 1000,
    parallelization: found.ParallelizationFactor ?? 1,
    bisect: found.BisectBatchOnFunctionError ?? false,
    reportsFailures: found.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    retriesMax: found.MaximumRetryAttempts ?? -1,
    recordAgeMaxMs: seconds < 0 ? -1 : seconds * 1000,
    startingPosition: startOf(found),
    filters: (found.FilterCriteria?.Filters ?? []).map(({ Pattern = '' }) => Pattern),
  });
}

function startOf(found: MappingProperties): StartingPosition {
  const { StartingPosition: start, StartingPositionTimestamp: at } = found;
  if (start === 'LATEST') return { type: 'LATEST' };
  if (start !== 'AT_TIMESTAMP') return { type: 'TRIM_HORIZON' };
  const timestampMs = at instanceof Date ? at.getTime() : Number(at) * 1000;
  return { type: 'AT_TIMESTAMP', timestampMs };
}

/** What a template says of the consumer. */
export interface TemplateConsumer {
  readonly settings: MappingSettings;
  readonly timeoutMs: number;
}

interface Template {
  readonly Resources: Readonly<Record<string, { Type: string; Properties: Properties }>>;
}

type Properties = MappingProperties & { readonly Timeout?: number };

/** Reads mapping and time-out from a synthesised compute template, so that what is simulated is what would be deployed. */
export function readTemplate(text: string): TemplateConsumer {
  const { Resources }: Template = JSON.parse(text);
  const find = (type: string) =>
    Object.entries(Resources).find(([id, { Type }]) => Type === type && id.startsWith('Consumer'));
  const [, mapping] = find('AWS::Lambda::EventSourceMapping') ?? [];
  const [, consumer] = find('AWS::Lambda::Function') ?? [];
  if (mapping === undefined || consumer?.Properties.Timeout === undefined) {
    throw new InvariantError('template: got no mapping or no time-out, expected both');
  }
  return {
    settings: settingsOf(mapping.Properties),
    timeoutMs: consumer.Properties.Timeout * 1000,
  };
}
