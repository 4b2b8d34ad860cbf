import { describe, expect, it } from 'vitest';
import { parseRedriveRequest } from '../../../src/handlers/redrive-request.ts';

const choice = { fromMs: 1, toMs: 2, reason: 'schema', limit: 10 };

describe('a request to the function that brings events back', () => {
  it.each([
    { action: 'look', choice },
    { action: 'look', choice: { ...choice, reason: undefined } },
    { action: 'ask', choice, by: 'me' },
    { action: 'run', job: 1 },
    { action: 'cancel', job: 1 },
  ])('is read: %j', (request) => {
    expect(parseRedriveRequest({ ...request, more: 1 })).toEqual(request);
  });

  it.each([
    undefined,
    {},
    { action: 'drop' },
    { action: 'ask', choice },
    { action: 'ask', choice, by: 'x'.repeat(301) },
    { action: 'run', job: '1' },
    { action: 'look', choice: { ...choice, toMs: 1 } },
    { action: 'look', choice: { ...choice, reason: 'toString' } },
    { action: 'look', choice: { ...choice, limit: 100_001 } },
  ])('is refused with what is expected: %j', (request) => {
    expect(() => parseRedriveRequest(request)).toThrow('expected');
  });
});
