import { afterEach, describe, expect, it } from 'vitest';
import { readEnv, readTraceId } from '../../../functions/shared/env.ts';
import { ENV } from '../../../src/core/contract.ts';

const names = [...Object.values(ENV), '_X_AMZN_TRACE_ID'];

afterEach(() => {
  for (const name of names) delete process.env[name];
});

describe('the environment of a function', () => {
  it('is read by the names that the stacks set', () => {
    process.env[ENV.streamArn] = 'arn:aws:kinesis:eu-west-1:111122223333:stream/s';
    process.env[ENV.ledgerTable] = 'ledger';
    expect(readEnv(['streamArn', 'ledgerTable'])).toEqual({
      streamArn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/s',
      ledgerTable: 'ledger',
    });
  });

  it.each([undefined, ''])('is refused with the name of what is missing: %j', (value) => {
    if (value !== undefined) process.env[ENV.ledgerTable] = value;
    expect(() => readEnv(['ledgerTable'])).toThrow(
      /environment variable MILLRACE_LEDGER_TABLE: got .*, expected the value that the compute stack sets/,
    );
  });
});

describe('the trace', () => {
  it.each([
    [
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
      '1-5759e988-bd862e3fe1be46a994272793',
    ],
    ['Self=1-a;Root=1-b-c', '1-b-c'],
    ['', undefined],
  ])('of %j is %j', (header, id) => {
    process.env._X_AMZN_TRACE_ID = header;
    expect(readTraceId()).toBe(id);
  });

  it('is none outside of Lambda', () => {
    expect(readTraceId()).toBeUndefined();
  });
});
