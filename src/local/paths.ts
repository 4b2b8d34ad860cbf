import path from 'node:path';

/** The checkout. */
export const ROOT = path.join(import.meta.dirname, '..', '..');

/** Everything that local runs leave behind; ignored by git. */
export const STATE = path.join(ROOT, '.millrace');
