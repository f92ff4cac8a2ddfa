import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { actsOf } from './script-acts.ts'

describe('actsOf', () => {
  it('finds nothing in scripts that only ask, say and clean up after older versions', () => {
    const script = `#!/bin/sh
set -e
# ln -s /etc/passwd /etc/shadow
action="$1"
old=$(dpkg-query -W -f x)
case "$action" in
    configure|abort-upgrade)
        ;;
    *)
        echo "called with unknown argument $action" >&2
        exit 1
        ;;
esac
if [ "$1" = configure ] && [ -x /usr/bin/x ]; then
    ldconfig
    dpkg-maintscript-helper rm_conffile /etc/old 1.0 -- "$@"
fi
#DEBHELPER#
exit 0
`
    assert.deepEqual(actsOf(script), [])
  })

  it('finds whatever it does not know to do nothing', () => {
    for (const line of [
      'ln -s a b',
      'cat >/etc/motd <<X',
      'echo root::0:0 >> /etc/passwd',
      'x=$(useradd y)',
      'x=`useradd y`',
      '/usr/sbin/update-foo',
      'perl -e "unlink q(/x)"',
      'if true; then rm -rf /x; fi',
      'ldconfig; rm -rf /x',
      'ldconfig && rm -rf /x',
      'echo hello; rm -rf /x',
      '. /usr/lib/some/script',
      'configure) useradd x ;;',
      'setcap cap_net_raw+ep /usr/bin/ping',
    ])
      assert.equal(actsOf(`#!/bin/sh\n${line}\n`).length, 1, line)
  })

  it('joins lines that go on', () => {
    assert.deepEqual(actsOf('update-alternatives \\\n  --install /a b /c 1\n'), [
      'update-alternatives    --install /a b /c 1',
    ])
  })
})
