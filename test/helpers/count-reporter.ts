import type { Reporter, TestModule } from 'vitest/node';

/** Says why tests were skipped, and closes a run with one plain line that any script can read: how many ran. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const test of tests) {
      const result = test.result();
      if (result.state !== 'skipped' || result.note === undefined) continue;
      process.stdout.write(`skipped: ${test.fullName}: ${result.note}\n`);
    }
    const states = tests.map((test) => test.result().state);
    const count = (state: string) => states.filter((one) => one === state).length;
    const broken = modules.filter(
      (module) => module.state() === 'failed' && module.errors().length > 0,
    ).length;
    process.stdout.write(
      `${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped\n`,
    );
  }
}
