import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLicenseExpression, isLicenseId } from './licenses.ts'

describe('isLicenseExpression', () => {
  it('takes ids, exceptions, AND, OR and parentheses', () => {
    for (const text of [
      'MIT',
      'MIT OR Apache-2.0',
      '(MIT OR Apache-2.0) AND BSD-3-Clause',
      'GPL-2.0-only WITH Classpath-exception-2.0',
      '((GPL-2.0-only WITH Classpath-exception-2.0) OR (MIT))',
    ]) {
      assert.ok(isLicenseExpression(text), text)
    }
    assert.ok(isLicenseId('MIT') && !isLicenseId('MIT OR Apache-2.0'))
  })

  it('refuses what a validator would', () => {
    for (const text of [
      '',
      'mit',
      'Our own',
      'MIT Apache-2.0',
      'MIT AND',
      'OR MIT',
      '(MIT',
      'MIT)',
      ')MIT(',
      '()',
      'MIT (OR) Apache-2.0',
      'MIT WITH Apache-2.0',
      'GPL-2.0-only WITH (Classpath-exception-2.0)',
      'MIT/Apache-2.0',
    ]) {
      assert.ok(!isLicenseExpression(text), text)
    }
  })
})
