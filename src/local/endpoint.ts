import { CommandError, EXIT } from './local-error.ts';

/** How long an endpoint may take to answer, milliseconds. */
const ANSWER_MS = 5_000;

/**
 * Checks the endpoint that a run is to use.
 *
 * @param remote true when the user said that it may be on another machine
 * @throws CommandError when it is no URL, or not on this machine
 */
export function checkEndpoint(text: string, remote: boolean): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CommandError('AWS_ENDPOINT_URL is not usable', {
      exitCode: EXIT.usage,
      detail: `got '${text}', expected a URL such as http://127.0.0.1:4566`,
      next: 'unset AWS_ENDPOINT_URL to use the built-in local cloud',
    });
  }
  if (remote || isLoopback(new URL(text).hostname)) return text;
  throw new CommandError('AWS_ENDPOINT_URL is not on this machine', {
    exitCode: EXIT.usage,
    detail: `got '${text}', expected a loopback address: a run creates and fills stacks there`,
    next: 'add --remote if that is what you want, or unset AWS_ENDPOINT_URL',
  });
}

/** @throws CommandError when nothing answers there */
export async function checkAnswers(endpoint: string, signal: AbortSignal): Promise<void> {
  try {
    await fetch(endpoint, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError('AWS_ENDPOINT_URL does not answer', {
      exitCode: EXIT.refused,
      detail: `got no answer from '${endpoint}', expected a local cloud that is running`,
      next: 'start it, or unset AWS_ENDPOINT_URL to use the built-in local cloud',
      cause: error,
    });
  }
}

/** True for 127.0.0.0/8, ::1, and names under localhost (RFC 6761, section 6.3). */
export function isLoopback(host: string): boolean {
  if (/^127(\.\d{1,3}){3}$/.test(host) || host === '[::1]') return true;
  return host === 'localhost' || host.endsWith('.localhost');
}
