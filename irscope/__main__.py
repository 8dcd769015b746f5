from irscope.cli import main

raise SystemExit(main())
