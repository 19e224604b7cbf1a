"""What people see: the sidebar tab, the right-click menus and captions in the Outliner."""
