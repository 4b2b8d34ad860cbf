import { expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const printed: string[] = [];
  const complained: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained.push(String(text));
    return true;
  });
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const code = await main(args, {
    env,
    signal: new AbortController().signal,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  write.mockRestore();
  out.mockRestore();
  return { code, printed: printed.join(''), complained: complained.join('') };
}

it.each([
  [['start', '--bad', '200'], "'200'"],
  [['start', '--bad', ''], 'number from 0 to 100'],
  [['start', '--events', '0'], '1 to 10000000'],
  [['start', '--events', '1.5'], '1 to 10000000'],
  [['start', '--pipeline', 'nope'], 'birdstrikes, delays, earthquakes, flights'],
  [['start', '--loud'], '--loud'],
  [['strat'], 'start'],
])('wrong use is told with what is allowed: %j', async (args, says) => {
  const { code, complained } = await run(args);
  expect(code).toBe(2);
  expect(complained).toContain(says);
});

it('an endpoint elsewhere is refused before anything is started', async () => {
  const { code, complained } = await run(['start'], { AWS_ENDPOINT_URL: 'http://10.1.2.3:4566' });
  expect(code).toBe(2);
  expect(complained).toContain('--remote');
});

it('the help lists the choices', async () => {
  const { code, printed } = await run(['start', '--help']);
  expect(code).toBe(0);
  for (const flag of ['--pipeline', '--events', '--rate', '--bad', '--duplicates', '--keep']) {
    expect(printed).toContain(flag);
  }
});

it('the version is that of the package', async () => {
  expect((await run(['--version'])).printed).toMatch(/^\d+\.\d+\.\d+/);
});
