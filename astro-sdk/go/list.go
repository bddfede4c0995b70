package astro

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// List gives the entries of a list one by one, across its pages. It is for one goroutine.
//
//	items := client.Items.List(ctx, &astro.ListItemsRequest{})
//	for items.Next() {
//		fmt.Println(items.Value().ItemName)
//	}
//	if err := items.Err(); err != nil {
//		return err
//	}
//
// A page is asked for when its first entry is wanted, so who stops early asks for no further page.
type List[Entry any, Page proto.Message] struct {
	pages   *Pages[Page]
	entries func(Page) []Entry
	rest    []Entry
	value   Entry
}

// Next goes to the next entry; false at the end and after an error.
func (l *List[Entry, Page]) Next() bool {
	for len(l.rest) == 0 {
		if !l.pages.Next() {
			return false
		}
		l.rest = l.entries(l.pages.Value())
	}
	l.value, l.rest = l.rest[0], l.rest[1:]
	return true
}

// Value is the entry that Next went to.
func (l *List[Entry, Page]) Value() Entry { return l.value }

// Err is the [*Error] that ended the list, if it was not its end: a page could not be had.
func (l *List[Entry, Page]) Err() error { return l.pages.Err() }

// Pages gives the same list page by page. Use either, not both.
func (l *List[Entry, Page]) Pages() *Pages[Page] { return l.pages }

// Pages gives a list page by page. It is for one goroutine.
type Pages[Page proto.Message] struct {
	// Answers the next page, and whether there may be more after it.
	fetch func() (Page, bool, error)
	value Page
	err   error
	ended bool
}

// Next asks for the next page; false at the end and after an error.
func (p *Pages[Page]) Next() bool {
	if p.ended {
		return false
	}
	page, more, err := p.fetch()
	p.ended = err != nil || !more
	if err != nil {
		p.err = err
		return false
	}
	p.value = page
	return true
}

// Value is the page that Next asked for: the whole response.
func (p *Pages[Page]) Value() Page { return p.value }

// Err is the [*Error] that ended the list, if it was not its end.
func (p *Pages[Page]) Err() error { return p.err }

// listMethod is what the contract says about a list.
type listMethod[Request, Page proto.Message, Entry any] struct {
	method
	entries func(Page) []Entry
	// The token of the next page.
	token func(Page) string
	goOn  func(Request, string)
	// Whether it ends with the first page without entries; otherwise with an empty token.
	endsWhenEmpty bool
}

func list[Request, Page proto.Message, Entry any](
	ctx context.Context, c *connection, m *listMethod[Request, Page, Entry], request Request, options []CallOption,
) *List[Entry, Page] {
	request = copyOf(request)
	setPageSize(request)
	fetch := func() (Page, bool, error) {
		page, err := call[Page](ctx, c, m.method, request, options)
		if err != nil {
			return page, false, err
		}
		token := m.token(page)
		m.goOn(request, token)
		if m.endsWhenEmpty {
			return page, len(m.entries(page)) > 0, nil
		}
		return page, token != "", nil
	}
	return &List[Entry, Page]{pages: &Pages[Page]{fetch: fetch}, entries: m.entries}
}

// Entries of a page, unless the program sets another number: the most that a server gives.
const pageSize = 500

func setPageSize(request proto.Message) {
	message := request.ProtoReflect()
	if field := message.Descriptor().Fields().ByName("page_size"); field != nil && message.Get(field).Int() == 0 {
		message.Set(field, protoreflect.ValueOfInt32(pageSize))
	}
}
