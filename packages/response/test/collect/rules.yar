rule implant : dropper { strings: $mark = "EVIL-MARK" condition: $mark }
rule quiet { strings: $a = "not in it" condition: $a }
