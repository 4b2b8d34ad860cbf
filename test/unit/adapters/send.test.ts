import { describe, expect, it } from 'vitest';
import {
  CLIENT_DEFAULTS,
  chunk,
  classify,
  sendOnce,
  settled,
} from '../../../src/adapters/aws/send.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { DeadlineError, InvariantError, TransientError } from '../../../src/core/errors.ts';

const named = (name: string, message = 'why') => Object.assign(new Error(message), { name });
const at = (nowMs: number, deadlineMs: number) => ({ clock: makeSkippingClock(nowMs), deadlineMs });

describe('a send', () => {
  it('is one attempt: retries are the handlers’, which know the deadline', () => {
    expect(CLIENT_DEFAULTS.maxAttempts).toBe(1);
  });

  it.each([1_000, 1_001])('is not made at or after the deadline: %i', async (nowMs) => {
    let sent = 0;
    const send = sendOnce('Query T', at(nowMs, 1_000), async () => {
      sent += 1;
    });
    await expect(send).rejects.toBeInstanceOf(DeadlineError);
    await expect(send).rejects.toThrow('Query T: not sent');
    expect(sent).toBe(0);
  });

  it('is given up at the deadline', async () => {
    const silent = ({ abortSignal }: { abortSignal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        abortSignal.addEventListener('abort', () => reject(abortSignal.reason));
      });
    await expect(sendOnce('Query T', at(990, 1_000), silent)).rejects.toBeInstanceOf(
      TransientError,
    );
  });

  it('answers what the service does', async () => {
    expect(await sendOnce('Query T', at(0, 1_000), async () => 'yes')).toBe('yes');
  });
});

describe('an error', () => {
  it.each([
    'ValidationException',
    'AccessDeniedException',
    'ResourceNotFoundException',
    'NoSuchBucket',
  ])('%s is a mistake of ours, told with what the service said', (name) => {
    const error = classify('PutItem T', named(name, 'because'));
    expect(error).toBeInstanceOf(InvariantError);
    expect(error.message).toBe(`PutItem T: ${name}: because`);
  });

  it.each([
    'ProvisionedThroughputExceededException',
    'InternalServerError',
    'TimeoutError',
    'ECONNRESET',
  ])('%s may be over later; its message, which can hold data, is not repeated', (name) => {
    const cause = named(name, 'item of Ada');
    const error = classify('PutItem T', cause);
    expect(error).toBeInstanceOf(TransientError);
    expect(error.message).not.toContain('Ada');
    expect(error.cause).toBe(cause);
  });

  it('of what may be over later is a result, a mistake of ours is thrown', async () => {
    const fail = (name: string) => async () => {
      throw named(name);
    };
    expect(await settled('Get T', at(0, 9), fail('ThrottlingException'))).toBeInstanceOf(
      TransientError,
    );
    expect(await settled('Get T', at(9, 9), fail('never'))).toBeInstanceOf(DeadlineError);
    await expect(settled('Get T', at(0, 9), fail('ValidationException'))).rejects.toBeInstanceOf(
      InvariantError,
    );
  });
});

describe('chunk', () => {
  it.each([
    [0, 25, []],
    [25, 25, [25]],
    [26, 25, [25, 1]],
    [5, 2, [2, 2, 1]],
  ])('splits %i by %i', (count, size, sizes) => {
    const values = Array.from({ length: count }, (_, index) => index);
    const chunks = chunk(values, size);
    expect(chunks.map((one) => one.length)).toEqual(sizes);
    expect(chunks.flat()).toEqual(values);
  });
});
