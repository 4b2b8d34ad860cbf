import { isObject, type Json, memberOf, parseJson } from './json.ts';
import { compilePattern, type Test } from './pattern.ts';
import { MappingSettingsError } from './settings-error.ts';

/** What a filter looks at. */
export interface FilterInput {
  readonly sequence: string;
  readonly partitionKey: string;
  /** Milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  readonly data: Uint8Array;
}

/** True when the record goes to the function. */
export type RecordFilter = (record: FilterInput) => boolean;

/** Filters of a mapping: five, and ten when the quota is raised. */
export const FILTERS_MAX = 10;

/** Characters of one pattern: https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html */
export const PATTERN_LENGTH_MAX = 4_096;

/**
 * Makes the filter of a mapping's FilterCriteria: a record goes through when it fits one of the patterns.
 * Patterns are matched on the record's metadata and, where they name `data`, on its data as JSON; data that is
 * no JSON then fits nothing.
 *
 * AWS's page of today says that Kinesis patterns name `data` only, older ones show metadata beside it: here
 * both match.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
 *
 * @returns undefined where there is no pattern: then everything goes through
 * @throws MappingSettingsError on what AWS would refuse when the mapping is made
 */
export function compileFilters(patterns: readonly string[]): RecordFilter | undefined {
  if (patterns.length > FILTERS_MAX) {
    throw new MappingSettingsError('filters', patterns.length, `at most ${FILTERS_MAX}`);
  }
  if (patterns.length === 0) return undefined;
  const tests = patterns.map(compileFilter);
  return (record) => {
    const event = eventOf(record);
    return tests.some((test) => test(event));
  };
}

function compileFilter(text: string, index: number): Test {
  const setting = `filters[${index}]`;
  if (text.length > PATTERN_LENGTH_MAX) {
    throw new MappingSettingsError(
      setting,
      text.length,
      `at most ${PATTERN_LENGTH_MAX} characters`,
    );
  }
  const pattern = parsePattern(setting, text);
  const data = memberOf(pattern, 'data');
  if (data !== undefined && !isObject(data)) {
    throw new MappingSettingsError(`${setting}.data`, text, 'a JSON object of patterns');
  }
  const test = compilePattern(pattern, setting);
  // Without it, `exists: false` would take data that is no JSON for data without the field.
  return (event) => (data === undefined || memberOf(event, 'data') !== undefined) && test(event);
}

function parsePattern(setting: string, text: string): Json {
  try {
    return parseJson(text);
  } catch {
    throw new MappingSettingsError(setting, text, 'a JSON object');
  }
}

function eventOf({ sequence, partitionKey, arrivalMs, data }: FilterInput): Json {
  const json = dataOf(data);
  const metadata = { partitionKey, sequenceNumber: sequence, kinesisSchemaVersion: '1.0' };
  const arrival = parseJson(JSON.stringify(arrivalMs / 1000));
  return {
    ...metadata,
    approximateArrivalTimestamp: arrival,
    ...(json === undefined ? {} : { data: json }),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined where the bytes are no JSON, or nest too deeply to be read. */
function dataOf(data: Uint8Array): Json | undefined {
  try {
    return parseJson(utf8.decode(data));
  } catch {
    return undefined;
  }
}
