import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/helpers/count-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
    reporters: ['default', new CountReporter()],
  },
});
