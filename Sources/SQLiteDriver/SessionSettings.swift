struct SessionSettings {}
