rule slow {
  condition:
    for all i in (0..100000000000) : ( uint8(i % filesize) != 7 )
}
