package client

// ForModel returns a client of the same connections that asks for another model
// or revision, named as for WithModel. Closing either closes both.
func (c *Client) ForModel(name string) *Client {
	other := *c
	other.cfg.model = name
	return &other
}
