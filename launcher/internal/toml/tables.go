package toml

// How a table came to be decides who may still add to it.
type origin int

const (
	implied  origin = iota // a parent in a [header]
	declared               // the last name in a [header]
	dotted                 // a parent in a dotted key
	closed                 // an inline table
)

type table struct {
	origin origin
	values map[string]any
}

// tables is an array made by [[headers]].
type tables struct{ list []*table }

func newTable(from origin) *table { return &table{from, map[string]any{}} }

func (r *reader) document() map[string]any {
	root := newTable(declared)
	current := root
	for {
		r.space()
		switch {
		case r.ended():
			return root.plain()
		case r.take("[["):
			current = r.element(root, r.keys())
			r.need("]]")
		case r.take("["):
			current = r.header(root, r.keys())
			r.need("]")
		default:
			r.pair(current)
		}
		r.endOfLine()
	}
}

// parent walks to the table that holds the last key of a header.
func (r *reader) parent(at *table, keys []string) (*table, string) {
	last := len(keys) - 1
	for _, key := range keys[:last] {
		switch next := at.values[key].(type) {
		case nil:
			child := newTable(implied)
			at.values[key] = child
			at = child
		case *table:
			at = next
		case *tables:
			at = next.list[len(next.list)-1]
		default:
			r.fail("not a table: " + key)
		}
		if at.origin == closed {
			r.fail("already complete: " + key)
		}
	}
	return at, keys[last]
}

func (r *reader) header(root *table, keys []string) *table {
	at, key := r.parent(root, keys)
	switch there := at.values[key].(type) {
	case nil:
		child := newTable(declared)
		at.values[key] = child
		return child
	case *table:
		if there.origin == implied {
			there.origin = declared
			return there
		}
	}
	r.fail("defined twice: " + key)
	return nil
}

func (r *reader) element(root *table, keys []string) *table {
	at, key := r.parent(root, keys)
	child := newTable(declared)
	switch there := at.values[key].(type) {
	case nil:
		at.values[key] = &tables{[]*table{child}}
	case *tables:
		there.list = append(there.list, child)
	default:
		r.fail("defined twice: " + key)
	}
	return child
}

func (r *reader) pair(at *table) {
	keys := r.keys()
	r.need("=")
	r.blanks()
	last := len(keys) - 1
	for _, key := range keys[:last] {
		next, ok := at.values[key].(*table)
		if at.values[key] == nil {
			next = newTable(dotted)
			at.values[key] = next
		} else if !ok || next.origin != dotted {
			r.fail("defined twice: " + key)
		}
		at = next
	}
	if _, ok := at.values[keys[last]]; ok {
		r.fail("defined twice: " + keys[last])
	}
	at.values[keys[last]] = r.value()
}

func (r *reader) inline() *table {
	result := newTable(dotted)
	if r.blanks(); r.take("}") {
		return result.close()
	}
	for {
		r.pair(result)
		if r.blanks(); r.take("}") {
			return result.close()
		}
		r.need(",")
	}
}

func (t *table) close() *table {
	t.origin = closed
	for _, value := range t.values {
		if child, ok := value.(*table); ok {
			child.close()
		}
	}
	return t
}

func (t *table) plain() map[string]any {
	result := make(map[string]any, len(t.values))
	for key, value := range t.values {
		result[key] = plain(value)
	}
	return result
}

func plain(value any) any {
	switch value := value.(type) {
	case *table:
		return value.plain()
	case *tables:
		list := make([]any, len(value.list))
		for at, each := range value.list {
			list[at] = each.plain()
		}
		return list
	case []any:
		for at, each := range value {
			value[at] = plain(each)
		}
	}
	return value
}
