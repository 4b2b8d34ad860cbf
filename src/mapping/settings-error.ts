import { MillraceError, show } from '../core/errors.ts';

/** A setting of an event source mapping that AWS would refuse. */
export class MappingSettingsError extends MillraceError {
  override readonly name = 'MappingSettingsError';

  constructor(setting: string, got: unknown, expected: string) {
    super('mapping-settings', `mapping.${setting}: got ${show(got)}, expected ${expected}`, {
      fields: { setting, got },
    });
  }
}
