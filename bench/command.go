package bench

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// A Command is a program below this package.
type Command struct {
	Name, Description string
	Commands          any // points to the struct of its commands, which say for kong what flags there are
	Env               any // that their Run methods take
	Stdout, Stderr    io.Writer
}

// Run executes a command line and returns the exit code: 0 done, 1 failed, 2
// misused.
func (c Command) Run(args []string, options ...kong.Option) int {
	parser, err := kong.New(c.Commands, append(options, kong.Name(c.Name), kong.Description(c.Description), kong.Writers(c.Stdout, c.Stderr))...)
	if err != nil {
		panic(err) // the struct tags are wrong
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(c.Stderr, "%s: %v\n", c.Name, err)
		return 2
	}
	if err := ctx.Run(c.Env); err != nil {
		fmt.Fprintf(c.Stderr, "%s: %v\n", c.Name, err)
		return 1
	}
	return 0
}
