import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { openPypiIndex } from './pypi.ts'
import { indexIn, parsePipConf } from './pypi-settings.ts'
import { fakeServer } from './registry.testing.ts'

const INDEX = 'https://index.example/simple/'
const sha256 = createHash('sha256').update('wheel').digest('hex')
const settings = (...indices: string[]) => ({ indices, certificates: undefined })

describe('Python index', () => {
  it('lists the files of a JSON page, and of an HTML page, alike', async () => {
    const json = JSON.stringify({
      files: [
        {
          filename: 'a-1-py3-none-any.whl',
          url: '../../files/a-1-py3-none-any.whl',
          hashes: { sha256 },
          yanked: 'broken',
        },
        { filename: 'a-1.tar.gz', url: 'https://x.example/a-1.tar.gz', hashes: {} },
      ],
    })
    const html = `<html><a href="../../files/a-1-py3-none-any.whl#sha256=${sha256}" data-yanked="broken">a-1-py3-none-any.whl</a>
      <a href="https://x.example/a-1.tar.gz">a-1.tar.gz</a>`
    for (const page of [json, html]) {
      const { access } = fakeServer({ [`${INDEX}my-project/`]: page })
      assert.deepEqual(await openPypiIndex(settings(INDEX), access).files('My_Project'), [
        {
          name: 'a-1-py3-none-any.whl',
          url: 'https://index.example/files/a-1-py3-none-any.whl',
          sha256,
          yanked: true,
          authorization: undefined,
        },
      ])
    }
  })

  it('uses the first index that has the project, and keeps credentials at its host', async () => {
    const page = (host: string) =>
      JSON.stringify({ files: [{ filename: 'a.whl', url: `https://${host}/a.whl`, hashes: { sha256 } }] })
    const second = 'https://ann:pw@second.example/simple/'
    const { access, asked } = fakeServer({
      'https://second.example/simple/a/': page('files.example'),
      'https://files.example/a.whl': 'wheel',
    })
    const index = openPypiIndex(settings(INDEX, second, 'https://third.example/'), access)
    const [file] = await index.files('a')
    await index.fetch(file!)
    assert.deepEqual(
      asked.map(({ url, authorization }) => [new URL(url).host, authorization !== undefined]),
      [
        ['index.example', false],
        ['second.example', true],
        ['files.example', false],
      ],
    )
  })

  it('refuses a file that is not the one listed', async () => {
    const { access, store } = fakeServer({
      [`${INDEX}a/`]: JSON.stringify({ files: [{ filename: 'a.whl', url: 'a.whl', hashes: { sha256 } }] }),
      [`${INDEX}a/a.whl`]: 'evil',
    })
    const index = openPypiIndex(settings(INDEX), access)
    const [file] = await index.files('a')
    await assert.rejects(index.fetch(file!), { code: 'SOURCE_CONTENT_DIFFERS' })
    assert.equal(store.size, 0)
  })

  it('says so where no index has a project, or none is known', async () => {
    const { access } = fakeServer({})
    await assert.rejects(openPypiIndex(settings(INDEX), access).files('a'), { code: 'SOURCE_NOT_FOUND' })
    await assert.rejects(openPypiIndex(settings(), access).files('a'), {
      code: 'SOURCE_NO_REGISTRY',
      fix: /PIP_INDEX_URL/,
    })
  })
})

describe('pip.conf', () => {
  it('is read by section, with continued lines joined', () => {
    const text =
      '# c\n[global]\nindex-url = https://a.example/simple\nextra_index_url =\n  https://b.example\n  https://c.example\n[freeze]\nindex-url = https://no.example\n'
    assert.deepEqual(
      [...parsePipConf(text)],
      [
        ['index-url', 'https://a.example/simple'],
        ['extra-index-url', 'https://b.example https://c.example'],
      ],
    )
  })

  it('leaves the default index to pip itself', () => {
    assert.equal(
      indexIn('PyPI = PackageIndex("https://default.example/", file_storage_domain="x")'),
      'https://default.example/simple/',
    )
  })
})
