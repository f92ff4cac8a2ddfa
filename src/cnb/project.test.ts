import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recording } from '#std'
import { parseProject } from './project.ts'

describe('parseProject', () => {
  it('reads version 0.2', () => {
    const project = parseProject(
      `[_]
schema-version = "0.2"
version = "1.2"
source-url = "https://example.com/shop"
[[_.licenses]]
type = "MIT"
[io.buildpacks]
exclude = ["target/"]
[[io.buildpacks.build.env]]
name = "A"
value = "1"
[[io.buildpacks.group]]
id = "acme/inline"
[io.buildpacks.group.script]
api = "0.10"
inline = "echo hi"
[[io.buildpacks.post.group]]
uri = "./mine"
`,
      'project.toml',
    )
    assert.deepEqual(project, {
      version: '1.2',
      sourceUrl: 'https://example.com/shop',
      exclude: ['target/'],
      buildpacks: [
        { id: 'acme/inline', script: { api: '0.10', shell: '/bin/sh', inline: 'echo hi' }, execEnv: [] },
      ],
      pre: [],
      post: [{ uri: './mine', execEnv: [] }],
      variables: [{ name: 'A', value: '1', execEnv: [] }],
    })
  })

  it('reads version 0.1 where none is named, and says so', () => {
    const report = recording()
    const text =
      '[project]\nid = "x"\n[build]\ninclude = ["a"]\n[[build.env]]\nname = "B"\nvalue = ""\n[other]\n'
    const project = parseProject(text, 'project.toml', report)
    assert.deepEqual([project.include, project.variables], [['a'], [{ name: 'B', value: '', execEnv: [] }]])
    assert.match(report.lines.join('\n'), /read as version 0\.1/)
    assert.match(report.lines.join('\n'), /\[other\] means nothing/)
  })

  it('uses the old spelling of variables only where the new one is absent', () => {
    const old = '[[io.buildpacks.env.build]]\nname = "A"\nvalue = "old"\n'
    const both = `${old}[[io.buildpacks.build.env]]\nname = "A"\nvalue = "new"\n`
    const value = (text: string) =>
      parseProject(`[_]\nschema-version = "0.2"\n${text}`, 'p').variables[0]?.value
    assert.deepEqual([value(old), value(both)], ['old', 'new'])
  })

  const bad: [string, string, RegExp][] = [
    ['an unknown version', '[_]\nschema-version = "9"', /schema-version/],
    [
      'include beside exclude',
      '[_]\nschema-version = "0.2"\n[io.buildpacks]\ninclude = []\nexclude = []',
      /both/,
    ],
    [
      'a buildpack that nothing names',
      '[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nversion = "1"',
      /neither/,
    ],
    [
      'a place with a version',
      '[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nuri = "x"\nversion = "1"',
      /version/,
    ],
    [
      'a variable whose name would leave a directory',
      '[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "../../x"\nvalue = ""',
      /name for a variable/,
    ],
  ]
  for (const [what, text, why] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseProject(text, 'project.toml'), { code: 'PROJECT_INVALID', why })
    })
  }

  it('says which keys of 0.2 mean nothing, and leaves tables of other vendors alone', () => {
    const report = recording()
    const text = `[_]
schema-version = "0.2"
nmae = "x"
[com.example]
any = 1
[build]
builder = "old"
[io.example]
any = 1
[[io.buildpacks.group]]
id = "a/b"
verison = "1"
[io.buildpacks.bulid]
`
    parseProject(text, 'p', report)
    const keys = report.lines.map(line => /\[(.*)\]/.exec(line)?.[1])
    assert.deepEqual(keys, ['_.nmae', 'build', 'io.buildpacks.group.verison', 'io.buildpacks.bulid'])
  })

  it('wants a license to say something', () => {
    const text = '[_]\nschema-version = "0.2"\n[[_.licenses]]\n'
    assert.throws(() => parseProject(text, 'p'), { code: 'DOCUMENT_INVALID', message: /type or uri/ })
  })
})
